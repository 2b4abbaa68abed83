"""Which cases are from before a change: those learned before success fell in their kind of task."""

from collections.abc import Callable
from dataclasses import dataclass, field

from ..credit.change_point import Falls
from ..ledger.records import EpisodeCase, MemoryRecord
from ..store.store import Store

OLD = "from before success fell in its kind of task"
Kind = tuple[str, str]
"""Environment and family."""


@dataclass
class _Followed:
    """The own episodes of one model in one kind of task."""

    ranks: list[int] = field(default_factory=list)
    falls: Falls = field(default_factory=Falls)


class OldCases:
    """Follows the outcomes of the agent's own episodes by kind of task, as far as a view sees them.

    Args:
        store: Whose episodes they are.
        sees: Whether the view sees an episode.
    """

    def __init__(self, store: Store, sees: Callable[[EpisodeCase], bool]) -> None:
        self._store, self._sees = store, sees
        self._at = (-1, -1)
        self._latest = -1
        self._followed: dict[tuple[Kind, str], _Followed] = {}
        self._since: dict[Kind, int] = {}

    def is_old(self, record: MemoryRecord) -> bool:
        """Return whether a record was learned before success fell in its kind of task."""
        self._catch_up()
        return record.rank < self._since.get((record.env, record.family), 0)

    def _catch_up(self) -> None:
        """Take the outcomes of episodes that came since; all anew where some are there no more."""
        held = self._store.episodes
        now = (self._store.generation, self._store.ranks)
        if now == self._at:
            return
        if now[0] != self._at[0]:
            self._latest, self._followed, self._since = -1, {}, {}
        new = [case for case in held.values() if case.rank > self._latest]
        self._at, self._latest = now, max((case.rank for case in new), default=self._latest)
        for case in sorted(new, key=lambda case: case.rank):
            if case.source != "own" or not self._sees(case):
                continue
            kind = (case.env, case.family)
            # another model may do worse in the same world
            followed = self._followed.setdefault((kind, case.llm), _Followed())
            followed.ranks.append(case.rank)
            followed.falls.observe(case.score)
            if followed.falls.last:
                first = followed.ranks[followed.falls.last]
                self._since[kind] = max(self._since.get(kind, 0), first)
