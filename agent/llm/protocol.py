"""What the rest of Lichen may ask of a frozen language model, and nothing else.

`FrozenLLM` is what every model can do; `SteerableLLM` is a model in this process, which also takes soft
thoughts and shows its logits. Two clients ship: `local_llm` (transformers) and `openai_llm` (any server).
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Protocol, TypeVar, overload, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from ...envs.errors import UsageError
from ...envs.types import Record

LogProbs = NDArray[np.float64]
Schema = TypeVar("Schema", bound=BaseModel)
T = TypeVar("T")
Vectors = Any
"""Soft thoughts: a float32 torch tensor, shape (n, d); torch is imported where one is made."""


class Message(Record):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass
class Usage:
    """Running totals of one client since it was made."""

    tokens_in: int = 0
    """Prompt tokens that were really computed or billed (a cached prefix is not counted locally)."""
    tokens_out: int = 0
    """Tokens generated, and option tokens scored."""
    calls: int = 0
    seconds: float = 0.0
    """Seconds spent inside calls; calls that run side by side are added up."""
    cached: int = 0
    """Those of `tokens_in` that a server read from its prefix cache."""
    reasoning: int = 0
    """Those of `tokens_out` that a server says were thoughts before the answer."""

    def minus(self, earlier: "Usage") -> "Usage":
        """Return what was used since `earlier`.

        >>> Usage(tokens_in=5, calls=2).minus(Usage(tokens_in=3, calls=1)).tokens_in
        2
        """
        before = asdict(earlier)
        return Usage(**{name: now - before[name] for name, now in asdict(self).items()})

    def plus(self, more: "Usage") -> "Usage":
        """Return both together."""
        other = asdict(more)
        return Usage(**{name: now + other[name] for name, now in asdict(self).items()})

    def add(self, more: "Usage") -> None:
        """Count what was used besides."""
        for name, value in asdict(more).items():
            setattr(self, name, getattr(self, name) + value)

    def copy(self) -> "Usage":
        """Return the totals as they are now."""
        return replace(self)

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Count one call and its seconds, also when it raises."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.calls += 1
            self.seconds += time.perf_counter() - start


@runtime_checkable
class FrozenLLM(Protocol):
    """A language model that is asked and never changed."""

    name: str
    """What the user called it: a packaged name, a folder, a hub id, a server's model id."""
    usage: Usage

    @property
    def scores_choices(self) -> bool:
        """Whether `choose` returns real log-probabilities (False: a structured choice is all it can do)."""
        ...

    async def complete(
        self,
        prompt: str,
        *,
        max_tokens: int = 128,
        temperature: float = 0.0,
        stop: Sequence[str] = (),
        seed: int = 0,
    ) -> str:
        """Continue a raw prompt; the stop string is not part of the result."""
        ...

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
        """Answer a conversation as text, or as a `schema` object (one repair turn, then an error)."""
        ...

    async def choose(self, prompt: str, options: Sequence[str]) -> LogProbs:
        """Return log p(option | prompt) of every whole option string, shape (n,), natural log.

        Not normalised over the options; the tokens of prompt and option are taken apart, so an option
        begins at a token boundary. The caller ends options with the same terminator where one option may
        be the beginning of another.
        """
        ...

    async def fingerprint(self) -> str:
        """Return a hash that changes when the model changes (over all weights, or the server's model id)."""
        ...

    async def close(self) -> None:
        """Free the model or the connection; calling it twice is allowed."""
        ...


@runtime_checkable
class SteerableLLM(FrozenLLM, Protocol):
    """A frozen model in this process: it takes soft thoughts, and its hidden states can be read."""

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
        """Answer as `FrozenLLM.chat` does; soft thoughts are read at the end of the last user's turn."""
        ...

    async def choose(
        self, prompt: str, options: Sequence[str], *, soft: Vectors | None = None
    ) -> LogProbs:
        """Score options as `FrozenLLM.choose` does; soft thoughts are read before the prompt's last line."""
        ...

    async def in_worker(self, call: Callable[[Any, Any], T]) -> T:
        """Call something with the model and its tokenizer, one at a time with everything else."""
        ...

    async def logits(self, prompt: str, continuation: str) -> Any:
        """Return the logits that predict each token of a continuation, computed without a cache.

        Returns:
            A torch tensor, float32, on the CPU, shape (tokens of the continuation, vocabulary).
        """
        ...

    async def drop_cache(self) -> None:
        """Let go of what was kept of earlier prompts: the next answer is computed from nothing."""
        ...


def steerable(llm: FrozenLLM) -> SteerableLLM:
    """Return the model as one that takes soft thoughts.

    Raises:
        UsageError: It takes none: a server, or a client that only keeps `FrozenLLM`.
    """
    if isinstance(llm, SteerableLLM):
        return llm
    raise UsageError(
        f"{llm.name} takes no soft thoughts: they need a model in this process",
        hint="Name a local model with --model.",
    )
