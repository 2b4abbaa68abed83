"""What Lichen asks of a model that talks: a conversation in the field's form, with tools that it may call.

A model keeps this beside `FrozenLLM` when it can answer a conversation that is only appended to. Servers do,
and so does the simulated model of the laboratory.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol, runtime_checkable

from pydantic import BaseModel, Field

from ...envs.tools import ToolSpec
from ...envs.types import Record
from .protocol import FrozenLLM

OnText = Callable[[str], None]
"""Told of pieces of text as they are written."""


class ToolUse(Record):
    """One call of a tool that a model wrote."""

    id: str
    """As the server named it; the answer names it again."""
    name: str
    arguments: dict[str, Any] | None
    """None: what the model wrote is no JSON object."""
    text: str = ""
    """The arguments as they were written."""


class Turn(Record):
    """One turn of a conversation with tools."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str = ""
    uses: tuple[ToolUse, ...] = ()
    """Calls that an assistant's turn makes."""
    answers: str = ""
    """Of a tool's turn: the id of the call that it answers."""
    step: int = Field(default=0, ge=0)
    """Steps of the episode that were taken when it was written; never sent."""
    spent: int = Field(default=0, ge=0)
    """Tokens that the episode's answers cost up to this one, as estimated; never sent."""


class Reply(Record):
    """What a model answered."""

    text: str = ""
    reasoning: str = ""
    """What a reasoning model thought, where the server tells it; never part of `text`."""
    uses: tuple[ToolUse, ...] = ()
    finish: str = "stop"
    """Why it ended: `stop`, `length`, `tool_calls` or what the server said."""
    top: tuple[dict[str, float], ...] = ()
    """For each token of the text: the likeliest tokens with their log-probabilities in nats, the one that was
    written first; empty where the server gives none."""


class Abilities(Record):
    """What a model can do behind its server."""

    tools: bool = True
    """Native calls of tools."""
    json_schema: bool = True
    """Answers held to a schema."""
    top_logprobs: bool = True
    """Log-probabilities of the tokens that it wrote."""
    seed: bool = True
    """Sampling under a seed."""
    words: bool = True
    """Plain words where tools are offered; else one has to be called."""
    caching: bool = False
    """Whether its server was seen to read the beginning of a conversation from a cache."""


@runtime_checkable
class TalkingLLM(FrozenLLM, Protocol):
    """A frozen model that answers conversations with tools."""

    async def abilities(self) -> Abilities:
        """Return what it can do; found out at the first call, and kept."""
        ...

    async def reply(
        self,
        turns: Sequence[Turn],
        *,
        tools: Sequence[ToolSpec] = (),
        must_call: bool = False,
        form: type[BaseModel] | None = None,
        top_logprobs: int = 0,
        max_tokens: int = 512,
        temperature: float = 0.0,
        seed: int = 0,
        on_text: OnText | None = None,
    ) -> Reply:
        """Answer a conversation.

        Args:
            turns: Oldest first; a system turn, if any, is the first.
            tools: What may be called.
            must_call: Whether one of them has to be.
            form: Holds the text to a schema, where `abilities().json_schema`.
            top_logprobs: How many alternatives of each token are wanted; 0 for none.
            max_tokens: Of the answer, its reasoning not counted where the server tells them apart.
            temperature: Left out where the model refuses it.
            seed: The same.
            on_text: Told of the text as it is written.

        Raises:
            LLMUnavailable: The server does not answer, also after its retries.
            LLMRefused: It refused the request.
            LLMNonsense: What came is no answer (AnswerCut: it was longer than `max_tokens`).
            ContextOverflow: The conversation is longer than the model reads.
            PromptRefused: This one conversation was refused.
        """
        ...
