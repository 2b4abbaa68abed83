"""Soft thoughts into a served model: vLLM's two routes and SGLang's own.

The same model must be at hand here for its tokenizer and, where whole prompts travel as vectors, for its
embeddings. Send only to a server that you trust and that trusts you: vLLM's documentation says that wrong
vectors may crash it.
"""

from typing import Any

import torch

from ...llm.errors import LLMNonsense
from ...llm.openai_client import OpenAILLM
from ..models import Frozen
from ..reader import SoftReader
from ..slots import LEAD_LLM, escape, for_llm
from .local import in_place
from .wire import encoded


class _Served:
    """What the three have in common.

    Args:
        server: Client of the server.
        llm: The same model, here.
    """

    def __init__(self, server: OpenAILLM, llm: Frozen) -> None:
        self._server, self._llm = server, llm
        self._reader = SoftReader(llm)

    def _whole(self, question: str, soft: torch.Tensor) -> torch.Tensor:
        """Return the templated prompt as vectors, shape (tokens, d)."""
        prompt = for_llm(self._llm, self._reader.marks, question, len(soft))
        with torch.inference_mode():
            return self._reader.embed(prompt.ids, soft).cpu()

    def _first(self, answer: Any, *path: str | int) -> str:
        """Return the text at a path of an answer."""
        for step in path:
            try:
                answer = answer[step]
            except (KeyError, IndexError, TypeError) as error:
                raise LLMNonsense(
                    f"the server {self._server.where} answered without a text"
                ) from error
        return str(answer or "")


class VLLMChat(_Served):
    """A content part `prompt_embeds` in a chat: only the soft block travels; the server templates."""

    name = "vllm-chat"

    async def answer(
        self,
        question: str,
        block: torch.Tensor | str,
        *,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> str:
        """See `Transport.answer`."""
        begin, end = self._around(question)
        part = (
            {"type": "text", "text": block}
            if isinstance(block, str)
            else {"type": "prompt_embeds", "data": encoded(block.to(self._llm.model.dtype))}
        )
        content = [{"type": "text", "text": begin}, part, {"type": "text", "text": end}]
        return await self._ask(content if len(block) else question, max_tokens, temperature, seed)

    def _around(self, question: str) -> tuple[str, str]:
        marks = self._reader.marks
        begin, end = self._llm.tokenizer.convert_ids_to_tokens([marks.begin, marks.end])
        return f"{escape(question, marks)}{LEAD_LLM}{begin}", end

    async def _ask(self, content: Any, max_tokens: int, temperature: float, seed: int) -> str:
        body = {
            "model": self._server.name,
            "messages": [{"role": "user", "content": content}],
            "max_tokens": max_tokens,
            "temperature": temperature,
            "seed": seed,
        }
        answer = await self._server.post("/chat/completions", body)
        return self._first(answer, "choices", 0, "message", "content")


class VLLMCompletions(_Served):
    """`prompt_embeds` of a completion: that route does not template, so the whole prompt is vectors."""

    name = "vllm-completions"

    async def answer(
        self,
        question: str,
        block: torch.Tensor | str,
        *,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> str:
        """See `Transport.answer`."""
        given: dict[str, Any] = (
            {"prompt": in_place(self._reader, question, block)}  # token ids
            if isinstance(block, str)
            else {"prompt": "", "prompt_embeds": encoded(self._whole(question, block))}
        )
        return await self._ask(given, max_tokens, temperature, seed)

    async def _ask(
        self, given: dict[str, Any], max_tokens: int, temperature: float, seed: int
    ) -> str:
        body = {
            "model": self._server.name,
            **given,
            "max_tokens": max_tokens,
            "temperature": temperature,
            "seed": seed,
        }
        answer = await self._server.post("/completions", body)
        return self._first(answer, "choices", 0, "text")


class SGLang(_Served):
    """`input_embeds` of SGLang's `/generate`; the server must run with `--disable-radix-cache`."""

    name = "sglang"

    async def answer(
        self,
        question: str,
        block: torch.Tensor | str,
        *,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> str:
        """See `Transport.answer`."""
        given: dict[str, Any] = (
            {"input_ids": in_place(self._reader, question, block)}
            if isinstance(block, str)
            else {"input_embeds": self._whole(question, block).float().tolist()}
        )
        return await self._ask(given, max_tokens, temperature, seed)

    async def _ask(
        self, given: dict[str, Any], max_tokens: int, temperature: float, seed: int
    ) -> str:
        sampling = {
            "max_new_tokens": max_tokens,
            "temperature": temperature,
            "sampling_seed": seed,
        }
        root = self._server.where.rstrip("/").removesuffix("/v1")
        answer = await self._server.post(f"{root}/generate", {**given, "sampling_params": sampling})
        return self._first(answer, "text")
