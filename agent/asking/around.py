"""What stands around a request that comes through somebody else's program: a conversation, tools of theirs."""

from typing import Literal

from ...envs.describing import Described
from ...envs.text import shortened
from ...envs.tools import Tool, ToolSpec
from ...envs.types import Record, Text
from ...memory.kinds.tool_module import Contracts
from .conversation import framed

_MESSAGES = 60
"""Last messages of a conversation that are told."""
_LETTERS = 4_000
"""Characters of one message that are told."""
_WHO = {
    "user": "User",
    "assistant": "You",
    "call": "You called",
    "result": "It answered",
}


class MessageSaid(Record):
    """One message of a conversation."""

    who: Literal["user", "assistant", "call", "result"]
    """`call`: of a tool, as it is written; `result`: what it answered."""
    text: Text


class Around(Record):
    """What a program says around a request; it is asked for in its stead."""

    before: tuple[MessageSaid, ...] = ()
    """The conversation before it, oldest first; nothing of the store's own is told instead."""
    after: tuple[MessageSaid, ...] = ()
    """What was done for it already, where nobody remembers that."""
    instructions: str = ""
    """Beside the agent's own."""
    tools: tuple[ToolSpec, ...] | None = None
    """Tools that the program calls itself, in the place of the agent's own; None: the agent's own."""

    @property
    def opening(self) -> str:
        """The conversation as the model reads it; empty where nothing was said."""
        return framed(_told(self.before), _told(self.after))

    def contracts(self, env: str) -> Contracts | None:
        """Return the contracts of its tools in an environment; None where it has none."""
        held = {(env, spec.name): spec.schema_hash for spec in self.tools or ()}
        return Contracts(held) if held else None

    @property
    def callables(self) -> list[Tool]:
        """Its tools, to be called by whoever asked."""
        return [
            Tool(
                Described(spec.name, spec.description, spec.parameters, _nobody),
                version=spec.version,
                outside=True,
            )
            for spec in self.tools or ()
        ]


def _told(said: tuple[MessageSaid, ...]) -> list[str]:
    gone = len(said) - _MESSAGES
    lines = [f"[... {gone} earlier messages left out]"] if gone > 0 else []
    return [
        *lines,
        *(f"{_WHO[one.who]}: {shortened(one.text, _LETTERS)}" for one in said[-_MESSAGES:]),
    ]


def _nobody() -> str:
    raise AssertionError("whoever asked makes this call")
