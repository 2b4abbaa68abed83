"""A model whose answers are written down beforehand: for tests and for benches, never for results."""

from collections.abc import Callable, Sequence
from typing import overload

import numpy as np

from .errors import LLMNonsense
from .protocol import LogProbs, Message, Schema, Usage
from .structured import ask_structured


class ScriptedLLM:
    """Answers from a list, and chooses by a function; instant.

    Args:
        replies: Answers of `complete` and `chat`, in order.
        choose: (prompt, options) -> log-probabilities; all equal when None.
    """

    scores_choices = True

    def __init__(
        self,
        replies: Sequence[str] = (),
        choose: Callable[[str, Sequence[str]], Sequence[float]] | None = None,
    ) -> None:
        self.name = "scripted"
        self.usage = Usage()
        self.prompts: list[str] = []
        self._replies = list(replies)
        self._choose = choose

    def _next(self, prompt: str) -> str:
        self.prompts.append(prompt)
        if not self._replies:
            raise LLMNonsense("the script of this model has no more replies")
        with self.usage.timed():
            return self._replies.pop(0)

    async def complete(
        self,
        prompt: str,
        *,
        max_tokens: int = 128,
        temperature: float = 0.0,
        stop: Sequence[str] = (),
        seed: int = 0,
    ) -> str:
        """Return the next reply."""
        return self._next(prompt)

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
        """Return the next reply, as text or as an object."""

        async def ask(turns: Sequence[Message]) -> str:
            return self._next(turns[-1].content)

        return await (ask(messages) if schema is None else ask_structured(ask, messages, schema))

    async def choose(self, prompt: str, options: Sequence[str]) -> LogProbs:
        """Return what the function says."""
        self.prompts.append(prompt)
        with self.usage.timed():
            if self._choose is None:
                return np.full(len(options), -np.log(len(options)))
            return np.asarray(self._choose(prompt, options), np.float64)

    async def fingerprint(self) -> str:
        """Return the same at every call."""
        return "scripted"

    async def close(self) -> None:
        """Do nothing."""
