"""What practice writes down: an iteration is one event, and one that was not finished leaves nothing.

Admission commits skills while an iteration runs; its event comes at the end. So the library has a savepoint in
between, and what a killed, broken or stopped iteration admitted is rolled back before it is run again.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ...memory.ledger.ledger import Entry, Ledger
from ...memory.ledger.practice_events import Practised
from ...skills.library import Library
from ...skills.savepoint import pending, release, savepoint, take_back, tell


class PracticeLog:
    """The iterations of one practice in a ledger.

    Args:
        ledger: Where its events are.
        library: That the iterations change; None for an arm without one.
        run: Of the events.
        prefix: Of their keys; the iteration's number follows.
    """

    def __init__(self, ledger: Ledger, library: Library | None, *, run: str, prefix: str) -> None:
        self._ledger, self._library = ledger, library
        self._run, self._prefix = run, prefix

    def known(self) -> dict[int, Practised]:
        """Return the iterations of earlier calls by number."""
        return {
            event.number: event for key, event in self._events() if key.startswith(self._prefix)
        }

    def _events(self) -> Iterator[tuple[str, Practised]]:
        for row in self._ledger.read(run=self._run):
            if isinstance(row.event, Practised):
                yield row.key, row.event

    def recover(self) -> None:
        """Roll back what an iteration did to the library that was killed before its event was written."""
        mark = pending(self._library) if self._library is not None else None
        if self._library is None or mark is None:
            return
        if any(key == mark.name for key, _ in self._events()):
            release(self._library)  # killed right after the event: it is finished
        else:
            tell(take_back(self._library))

    @contextmanager
    def iteration(self, number: int) -> Iterator[Callable[[Practised], Practised]]:
        """Hold the library for one iteration; yield what writes its result down and returns it.

        An unknown result is not written: what broke is tried again by the next call. What was not written
        is rolled back at the end.
        """
        key = f"{self._prefix}{number}"

        def written(result: Practised, keep: Callable[[], None]) -> Practised:
            if result.outcome == "unknown":
                return result
            head = self._library.repository.head() if self._library is not None else ""
            result = result.model_copy(update={"library": head})
            self._ledger.append([Entry(key=key, run=self._run, episode="", event=result)])
            keep()
            return result

        if self._library is None:
            yield lambda result: written(result, lambda: None)
            return
        with savepoint(self._library, key) as keep:
            yield lambda result: written(result, keep)
