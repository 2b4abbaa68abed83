"""One ended episode as the memory modules read it: its events, its rank and how it ended."""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from ..ledger.events import EpisodeEnded, EpisodeStarted, Stepped
from ..ledger.feedback_event import Feedback
from ..ledger.ledger import LedgerRow

E = TypeVar("E")


@dataclass(frozen=True)
class EndedEpisode:
    """An episode that is learned from: it was to be learned, its outcome is known, and it has steps."""

    id: str
    rank: int
    """How many episodes were learned before it."""
    started: EpisodeStarted
    ended: EpisodeEnded
    rows: tuple[LedgerRow, ...]
    """All its rows, in order, the first and the last included."""
    said: Feedback | None = None
    """The verdict that came after its end, where one did."""

    def of(self, kind: type[E]) -> list[tuple[str, E]]:
        """Return its events of one kind, each with its key, in order."""
        return [(row.key, row.event) for row in self.rows if isinstance(row.event, kind)]

    @cached_property
    def steps(self) -> list[tuple[str, Stepped]]:
        """Its steps with their keys; never empty."""
        return self.of(Stepped)

    @property
    def start_key(self) -> str:
        """Key of its first event."""
        return self.rows[0].key

    @property
    def end_key(self) -> str:
        """Key of its last event."""
        return self.rows[-1].key
