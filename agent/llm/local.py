"""A frozen model in this process, through transformers and torch.

All computing happens in one worker thread: calls are async, one at a time, and never block the event loop.
"""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, TypeVar, overload

from ...envs.errors import UsageError
from ...envs.types import Record
from .catalog import PACKAGED, is_converted, locate
from .choose import PrefixCache, score
from .constrained import Constraint, vocabulary
from .errors import LLMRefused, ModelNotFound
from .protocol import LogProbs, Message, Schema, Usage
from .quiet import quiet_transformers
from .structured import ask_structured

T = TypeVar("T")


class LocalConfig(Record):
    """How a local model is run."""

    dtype: Literal["float32", "bfloat16"] = "float32"
    """float32 is exact; bfloat16 was 1.6 times faster on a CPU with AVX512-BF16."""
    device: str = "cpu"
    threads: int | None = None
    """Threads of torch; its own choice when None."""


class LocalLLM:
    """SmolLM2-135M-Instruct from its package, or any causal LM that transformers loads.

    Args:
        name: `smollm2-135m`, a GGUF file, a folder, or a hub id.
        config: dtype, device, threads.

    Raises:
        ModelNotFound: Nothing loads under that name.
    """

    scores_choices = True

    def __init__(self, name: str = PACKAGED, config: LocalConfig | None = None) -> None:
        self.name = name
        self.config = config or LocalConfig()
        self.usage = Usage()
        self._prefix = PrefixCache()
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lichen-llm")
        self._where = locate(name)
        self._loaded: tuple[Any, Any] | None = None
        self._vocabulary: Any = None

    def _parts(self) -> tuple[Any, Any]:
        """Return model and tokenizer, loaded at first use (in the worker thread)."""
        if self._loaded is None:
            self._loaded = load(self._where, self.config)
        return self._loaded

    async def _work(self, call: Callable[[], T]) -> T:
        with self.usage.timed():
            return await asyncio.get_running_loop().run_in_executor(self._worker, call)

    async def choose(self, prompt: str, options: Sequence[str]) -> LogProbs:
        """Return log p(option | prompt) of every whole option string; see `FrozenLLM.choose`."""
        if not options or not all(options):
            raise UsageError("choose needs at least one option, and none may be empty")
        return await self._work(lambda: self._choose(prompt, list(options)))

    def _choose(self, prompt: str, options: list[str]) -> LogProbs:
        model, _ = self._parts()
        ids = self._ids(prompt)
        option_ids = [self._ids(option, add_special=False) for option in options]
        self._fits(len(ids) + sum(map(len, option_ids)))
        found, computed = score(model, self._prefix, ids, option_ids)
        self.usage.tokens_in += computed
        self.usage.tokens_out += sum(map(len, option_ids))
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
    ) -> Schema: ...

    async def chat(
        self,
        messages: Sequence[Message],
        *,
        schema: type[Schema] | None = None,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> str | Schema:
        """Answer a conversation; see `FrozenLLM.chat`. With a schema, every token is held to it."""

        async def ask(turns: Sequence[Message]) -> str:
            return await self._work(
                lambda: self._generate(
                    self._chat_ids(turns),
                    max_tokens,
                    temperature,
                    (),
                    seed,
                    None if schema is None else self._constraint(schema, max_tokens),
                )
            )

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
    ) -> str:
        import torch

        model, tokenizer = self._parts()
        self._fits(len(ids) + max_tokens)
        held = self._prefix.shared(ids)
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
                    out = model(
                        torch.tensor([step], device=model.device),
                        past_key_values=cache,
                        use_cache=True,
                        logits_to_keep=1,
                    )
                    logits = out.logits[0, -1].float().cpu()
                    self.usage.tokens_in += len(step) if not made else 0
                    if constraint is not None:
                        logits[~torch.from_numpy(constraint.allowed()[: len(logits)])] = -torch.inf
                    token = _pick(logits, temperature, random)
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
        digest = _weights(model)
        words = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
        digest.update("\0".join(word for word, _ in words).encode())
        return str(digest.hexdigest())

    async def close(self) -> None:
        """Free the model."""
        self._loaded = None
        self._prefix = PrefixCache()
        self._worker.shutdown(wait=True)


def load(where: str, config: LocalConfig) -> tuple[Any, Any]:
    """Return a frozen model in evaluation mode, and its tokenizer.

    Raises:
        ModelNotFound: Nothing loads from `where` (see `catalog.locate`).
    """
    import torch
    from transformers import AutoModelForCausalLM

    if config.threads is not None:
        torch.set_num_threads(config.threads)
    try:
        with quiet_transformers():
            tokenizer = _tokenizer(where)
            model: Any = AutoModelForCausalLM.from_pretrained(
                where, dtype=getattr(torch, config.dtype), attn_implementation="sdpa"
            )
    except (OSError, ValueError) as error:
        raise ModelNotFound(
            f"the model {where!r} cannot be loaded: {str(error).splitlines()[0]}",
            hint="Give a folder that is on this machine, or check the hub id and the network.",
        ) from error
    model.to(config.device).eval().requires_grad_(False)
    return model, tokenizer


def _tokenizer(where: str) -> Any:
    if is_converted(where):  # a plain tokenizer.json: the automatic way takes two seconds more
        from transformers import PreTrainedTokenizerFast

        return PreTrainedTokenizerFast.from_pretrained(where)
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(where)


def weights_hash(model: Any) -> str:
    """Return a SHA-256 over every parameter and buffer of a model as it is in memory."""
    return str(_weights(model).hexdigest())


def _weights(model: Any) -> Any:
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(_bytes(tensor))
    return digest


def _pick(logits: Any, temperature: float, random: Any) -> int:
    import torch

    if temperature <= 0:
        return int(logits.argmax())
    weights = torch.softmax(logits / temperature, dim=-1)
    return int(torch.multinomial(weights, 1, generator=random))


def _bytes(tensor: Any) -> bytes:
    import torch

    flat = tensor.detach().cpu().contiguous().view(-1)
    return bytes(flat.view(torch.uint8).numpy().data) if flat.numel() else b""
