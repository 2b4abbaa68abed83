"""The journal of an episode's calls, kept in the ledger."""

from collections.abc import Callable, Iterable

from ...envs.approval import Approval
from ...envs.journal import Noted
from ...memory.ledger.call_events import ApprovalGiven, CallBegun, CallEnded
from ...memory.ledger.ledger import Entry, LedgerRow


class LedgerJournal:
    """See `envs.journal.Journal`.

    Args:
        episode: Whose calls.
        run: It belongs to.
        append: Writes events.
        events_of: Reads the events of an episode.
    """

    def __init__(
        self,
        episode: str,
        run: str,
        append: Callable[[list[Entry]], int],
        events_of: Callable[[str], Iterable[LedgerRow]],
    ) -> None:
        self._episode, self._run, self._append = episode, run, append
        self._events_of = events_of
        self._known: dict[int, Noted] | None = None

    def noted(self, number: int) -> Noted | None:
        """Return what is known of a call."""
        return self._calls.get(number)

    def begin(self, number: int, call: str) -> None:
        """Note that a call will be made now."""
        self._write(f"call-{number:04d}-begun", CallBegun(number=number, call=call))
        self._calls[number] = Noted(call, None)

    def end(self, number: int, answer: str, error: str) -> None:
        """Note what came of it."""
        event = CallEnded(number=number, answer=answer, error=error)
        self._write(f"call-{number:04d}-ended", event)
        self._calls[number] = Noted(self._calls[number].call, answer, error)

    def approval(self, number: int) -> Approval | None:
        """Return what a person said of a call."""
        for row in self._events_of(self._episode):
            if isinstance(row.event, ApprovalGiven) and row.event.number == number:
                said = row.event
                return Approval(approved=said.approved, note=said.note, answer=said.answer)
        return None

    def _write(self, name: str, event: CallBegun | CallEnded) -> None:
        self._append([Entry(f"{self._episode}/{name}", self._run, self._episode, event)])

    @property
    def _calls(self) -> dict[int, Noted]:
        """What is known of all calls, read at the first question."""
        if self._known is None:
            self._known = {}
            for row in self._events_of(self._episode):
                match row.event:
                    case CallBegun():
                        self._known[row.event.number] = Noted(row.event.call, None)
                    case CallEnded() if row.event.number in self._known:
                        begun = self._known[row.event.number]
                        self._known[row.event.number] = Noted(
                            begun.call, row.event.answer, row.event.error
                        )
        return self._known
