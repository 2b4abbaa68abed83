"""A frozen model in this process, through transformers and torch.

All computing happens in one worker thread: calls are async, one at a time, and never block the event loop.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, overload

from ...envs.errors import UsageError
from .catalog import PACKAGED, locate
from .constrained import Constraint, vocabulary
from .errors import LLMRefused
from .loading import LocalConfig, load, weights_digest
from .option_scores import PrefixCache, around, score
from .protocol import LogProbs, Message, Schema, Usage, Vectors
from .sampling import pick
from .structured import ask_structured

T = TypeVar("T")


class LocalLLM:
    """SmolLM2-135M-Instruct from its package, or any causal LM that transformers loads.

    Args:
        name: `smollm2-135m`, a GGUF file, a folder, or a hub id.
        config: dtype and device.
        loaded: Model and tokenizer, where the caller has loaded them.

    Raises:
        ModelNotFound: Nothing loads under that name.
    """

    scores_choices = True

    def __init__(
        self,
        name: str = PACKAGED,
        config: LocalConfig | None = None,
        *,
        loaded: tuple[Any, Any] | None = None,
    ) -> None:
        self.name = name
        self.config = config or LocalConfig()
        self.usage = Usage()
        self._prefix = PrefixCache()
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lichen-llm")
        self._where = locate(name) if loaded is None else name
        self._loaded = loaded
        self._vocabulary: Any = None

    def _parts(self) -> tuple[Any, Any]:
        """Return model and tokenizer, loaded at first use (in the worker thread)."""
        if self._loaded is None:
            self._loaded = load(self._where, self.config)
        return self._loaded

    async def _work(self, call: Callable[[], T]) -> T:
        with self.usage.timed():
            return await asyncio.get_running_loop().run_in_executor(self._worker, call)

    async def in_worker(self, call: Callable[[Any, Any], T]) -> T:
        """Call something with the model and its tokenizer in the worker thread, one at a time with the rest."""
        work = asyncio.get_running_loop().run_in_executor
        return await work(self._worker, lambda: call(*self._parts()))

    async def drop_cache(self) -> None:
        """Let go of what was kept of earlier prompts; see `SteerableLLM.drop_cache`."""
        await self._work(lambda: self._prefix.keep(0))

    async def choose(
        self, prompt: str, options: Sequence[str], *, soft: Vectors | None = None
    ) -> LogProbs:
        """Return log p(option | prompt) of every whole option string; see `FrozenLLM.choose`.

        Args:
            prompt: Ends with the line that the options go on with.
            options: At least one.
            soft: Soft thoughts, shape (n, d), read before that last line; the prompt's cache stays valid.
        """
        if not options or not all(options):
            raise UsageError("choose needs at least one option, and none may be empty")
        return await self._work(lambda: self._choose(prompt, list(options), soft))

    def _choose(self, prompt: str, options: list[str], soft: Vectors | None) -> LogProbs:
        model, tokenizer = self._parts()
        block = None
        if soft is None:
            ids = self._ids(prompt)
        else:
            from .soft_blocks import cue_block  # SoftCoT is built on this module

            ids, block = cue_block(self.name, model, tokenizer, prompt, soft)
        option_ids = [self._ids(option, add_special=False) for option in options]
        extra = 0 if block is None else len(block)
        self._fits(len(ids) + extra + sum(map(len, option_ids)))
        found, computed = score(model, self._prefix, ids, option_ids, block=block)
        self.usage.tokens_in += computed
        self.usage.tokens_in += sum(map(len, option_ids))  # scored, not written
        return found

    async def complete(
        self,
        prompt: str,
        *,
        max_tokens: int = 128,
        temperature: float = 0.0,
        stop: Sequence[str] = (),
        seed: int = 0,
    ) -> str:
        """Continue a raw prompt; see `FrozenLLM.complete`."""
        return await self._work(
            lambda: self._generate(self._ids(prompt), max_tokens, temperature, tuple(stop), seed)
        )

    @overload
    async def chat(
        self,
        messages: Sequence[Message],
        *,
        schema: None = None,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int = 0,
        soft: Vectors | None = None,
    ) -> str: ...

    @overload
    async def chat(
        self,
        messages: Sequence[Message],
        *,
        schema: type[Schema],
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int = 0,
        soft: Vectors | None = None,
    ) -> Schema: ...

    async def chat(
        self,
        messages: Sequence[Message],
        *,
        schema: type[Schema] | None = None,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int = 0,
        soft: Vectors | None = None,
    ) -> str | Schema:
        """Answer a conversation; see `FrozenLLM.chat`. With a schema, every token is held to it.

        Soft thoughts, shape (n, d), are read at the end of the last user's turn.
        """

        def answer(turns: Sequence[Message]) -> str:
            ids, block = self._chat_ids(turns), None
            if soft is not None:
                from .soft_blocks import chat_block

                ids, block = chat_block(self.name, *self._parts(), turns, soft)
            constraint = None if schema is None else self._constraint(schema, max_tokens)
            return self._generate(ids, max_tokens, temperature, (), seed, constraint, block)

        async def ask(turns: Sequence[Message]) -> str:
            return await self._work(lambda: answer(turns))

        return await (ask(messages) if schema is None else ask_structured(ask, messages, schema))

    def _constraint(self, schema: type[Schema], max_tokens: int) -> Constraint:
        model, tokenizer = self._parts()
        if self._vocabulary is None:
            self._vocabulary = vocabulary(tokenizer, model.config.get_text_config().vocab_size)
        return Constraint(self._vocabulary, schema.model_json_schema(), max_tokens)

    def _chat_ids(self, messages: Sequence[Message]) -> list[int]:
        _, tokenizer = self._parts()
        text = tokenizer.apply_chat_template(
            [m.model_dump() for m in messages], tokenize=False, add_generation_prompt=True
        )
        return self._ids(text, add_special=False)

    def _ids(self, text: str, *, add_special: bool = True) -> list[int]:
        _, tokenizer = self._parts()
        ids: list[int] = tokenizer(text, add_special_tokens=add_special).input_ids
        if not ids:  # an empty prompt still needs a place from which to predict
            first = tokenizer.bos_token_id
            ids = [tokenizer.eos_token_id if first is None else first]
        return ids

    def _fits(self, tokens: int) -> None:
        model, _ = self._parts()
        most = getattr(model.config, "max_position_embeddings", None)
        if most is not None and tokens > most:
            raise LLMRefused(
                f"the prompt has {tokens} tokens and {self.name} takes {most}",
                hint="Show fewer cases (policy.shown), or use a model with a longer context.",
            )

    def _generate(
        self,
        ids: list[int],
        max_tokens: int,
        temperature: float,
        stop: tuple[str, ...],
        seed: int,
        constraint: Constraint | None = None,
        block: Vectors | None = None,
    ) -> str:
        import torch

        model, tokenizer = self._parts()
        extra = 0 if block is None else len(block)
        self._fits(len(ids) + extra + max_tokens)
        held = self._prefix.shared(ids, whole=extra > 0)
        self._prefix.keep(held)
        cache = self._prefix.cache
        random = torch.Generator().manual_seed(seed)
        ends = {tokenizer.eos_token_id}
        if isinstance(known := model.generation_config.eos_token_id, list):
            ends |= set(known)
        made: list[int] = []
        step = ids[held:]
        try:
            with torch.inference_mode():
                while len(made) < max_tokens:
                    given = {"input_ids": torch.tensor([step], device=model.device)}
                    if block is not None and not made:
                        given = {"inputs_embeds": around(model, step, block, ())}
                    out = model(
                        **given,
                        past_key_values=cache,
                        use_cache=True,
                        logits_to_keep=1,
                    )
                    logits = out.logits[0, -1].float().cpu()
                    self.usage.tokens_in += len(step) + extra if not made else 0
                    if constraint is not None:
                        logits[~torch.from_numpy(constraint.allowed()[: len(logits)])] = -torch.inf
                    token = pick(logits, temperature, random)
                    if token in ends:
                        break
                    made.append(token)
                    step = [token]
                    if constraint is not None and constraint.take(token):
                        break
                    if stop and any(s in tokenizer.decode(made) for s in stop):
                        break
        finally:
            self._prefix.keep(0)  # the cache now holds the answer too
        self.usage.tokens_out += len(made)
        text: str = tokenizer.decode(made, skip_special_tokens=True)
        for end in stop:
            text = text.split(end, 1)[0]
        return text

    async def logits(self, prompt: str, continuation: str) -> Any:
        """Return the full-vocabulary logits that predict each token of a continuation.

        Every token is computed anew, in one pass without a cache: equal texts give equal bits.

        Args:
            prompt: What stands before.
            continuation: At least one token.

        Returns:
            A torch tensor, float32, on the CPU, shape (tokens of the continuation, vocabulary).
        """
        return await self._work(lambda: self._logits(prompt, continuation))

    def _logits(self, prompt: str, continuation: str) -> Any:
        import torch

        model, _ = self._parts()
        before, after = self._ids(prompt), self._ids(continuation, add_special=False)
        self._fits(len(before) + len(after))
        with torch.inference_mode():
            given = torch.tensor([before + after[:-1]], device=model.device)
            out = model(given, use_cache=False, logits_to_keep=len(after))
        self.usage.tokens_in += len(before) + len(after) - 1
        return out.logits[0].float().cpu()

    async def fingerprint(self) -> str:
        """Return a SHA-256 over every parameter and buffer as it is in memory, and the vocabulary."""
        return await asyncio.get_running_loop().run_in_executor(self._worker, self._fingerprint)

    def _fingerprint(self) -> str:
        model, tokenizer = self._parts()
        digest = weights_digest(model.state_dict())
        words = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
        digest.update("\0".join(word for word, _ in words).encode())
        return str(digest.hexdigest())

    async def close(self) -> None:
        """Free the model."""
        self._loaded = None
        self._prefix = PrefixCache()
        self._worker.shutdown(wait=True)
