"""Which cases are from before a change: those learned before success fell in their kind of task."""

from collections import defaultdict
from collections.abc import Callable, Iterable

from ..credit.change_point import fell_at
from ..ledger.records import EpisodeCase, MemoryRecord
from ..store.store import Store

OLD = "from before success fell in its kind of task"
Kind = tuple[str, str]
"""Environment and family."""


class OldCases:
    """Follows the outcomes of the agent's own episodes by kind of task, as far as a view sees them.

    Args:
        store: Whose episodes they are.
        sees: Whether the view sees an episode.
    """

    def __init__(self, store: Store, sees: Callable[[EpisodeCase], bool]) -> None:
        self._store, self._sees = store, sees
        self._known: tuple[tuple[int, int], dict[Kind, int]] = ((-1, -1), {})

    def is_old(self, record: MemoryRecord) -> bool:
        """Return whether a record was learned before success fell in its kind of task."""
        return record.rank < self._since.get((record.env, record.family), 0)

    @property
    def _since(self) -> dict[Kind, int]:
        """Kind -> rank of the first episode after its change; kinds that changed alone."""
        held = self._store.episodes
        now = (self._store.generation, len(held))
        if now != self._known[0]:
            self._known = (now, self._found(held.values()))
        return self._known[1]

    def _found(self, held: Iterable[EpisodeCase]) -> dict[Kind, int]:
        outcomes: defaultdict[tuple[Kind, str], list[tuple[int, float]]] = defaultdict(list)
        for case in held:
            if case.source == "own" and self._sees(case):
                # another model may do worse in the same world
                mine = ((case.env, case.family), case.llm)
                outcomes[mine].append((case.rank, case.score))
        since: dict[Kind, int] = {}
        for (kind, _), scored in outcomes.items():
            scored.sort()
            first = fell_at([score for _, score in scored])
            if first:
                since[kind] = max(since.get(kind, 0), scored[first][0])
        return since
