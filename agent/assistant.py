"""The assistant's place in the graph: a small local model that thinks before the policy acts (SoftCoT).

Only the protocol and the assistant that does nothing; SoftCoT itself will be another implementation.
"""

from typing import Protocol

from ..memory.types import Hits, State


class Assistant(Protocol):
    """Thinks about a state, and returns a hint in words (latent thoughts come with SoftCoT)."""

    async def think(self, state: State, hits: Hits) -> str:
        """Return a hint, or an empty string."""
        ...


class NoAssistant:
    """Thinks nothing."""

    async def think(self, state: State, hits: Hits) -> str:
        """Return an empty string."""
        return ""
