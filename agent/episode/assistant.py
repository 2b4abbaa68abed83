"""The assistant's place in the graph: a small local model that thinks before the policy acts (SoftCoT).

Only the protocol; SoftCoT's own assistant, with its gate, is `softcot.hints`.
"""

from typing import Protocol

from ...memory.ledger.records import Hits, State
from ..llm.thought import SILENT, Thought


class Assistant(Protocol):
    """Thinks about a state."""

    @property
    def chat(self) -> bool:
        """Whether it thinks for conversations too (plans, free calls), not for choices alone."""
        ...

    async def think(self, state: State, hits: Hits, *, family: str) -> Thought:
        """Return a thought; `SILENT` where the gate of this kind of task is off.

        Args:
            state: Where the policy is.
            hits: What was recalled: a thought is conditioned on the retrieved cases.
            family: The kind of task.
        """
        ...


class NoAssistant:
    """Thinks nothing."""

    chat = False

    async def think(self, state: State, hits: Hits, *, family: str) -> Thought:
        """Return nothing."""
        return SILENT
