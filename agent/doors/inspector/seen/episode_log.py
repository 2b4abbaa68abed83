"""All episodes of a ledger in a few words each, in order; read once, then only what is new."""

import bisect
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .....envs.types import Outcome
from .....memory.ledger.call_events import ApprovalAsked, ApprovalGiven
from .....memory.ledger.cost_event import CostNoted
from .....memory.ledger.events import EpisodeEnded, EpisodeStarted, Forgotten
from .....memory.ledger.feedback_event import Feedback
from .....memory.ledger.ledger import Ledger, LedgerRow, open_ledger

_TYPES = (
    "episode_started",
    "episode_ended",
    "feedback",
    "cost_noted",
    "approval_asked",
    "approval_given",
    "forgotten",
)


@dataclass(frozen=True)
class EpisodeLine:
    """An episode in a few words."""

    id: str
    number: int
    """Of its beginning in the ledger."""
    run: str
    at: float
    """Seconds since 1970."""
    env: str
    family: str
    split: str
    task_id: str
    goal: str
    source: str
    namespace: str
    thread: str
    outcome: Outcome | None = None
    """As it was said last; None: it has not ended."""
    score: float | None = None
    steps: int = 0
    learn: bool = True
    judge: str = ""
    waits: str = ""
    """The call that waits for a person; empty: none does."""
    tokens: int = 0
    dollars: float = 0.0
    seconds: float = 0.0
    """Until its last event that is known here."""


class EpisodeLog:
    """The episodes of one ledger.

    Args:
        folder: Of the store.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ledger: Ledger | None = None
        self._seq = 0
        self._lock = threading.Lock()
        self._lines: dict[str, EpisodeLine] = {}

    def lines(self) -> list[EpisodeLine]:
        """Return all episodes as they are now, the oldest first; none where there is no store."""
        with self._lock:
            self._refresh()
            return list(self._lines.values())

    def line(self, episode: str) -> EpisodeLine | None:
        """Return one episode by its id, or by the beginning of it where only one begins so."""
        with self._lock:
            self._refresh()
            if episode in self._lines or not episode:
                return self._lines.get(episode)
            found = [line for id, line in self._lines.items() if id.startswith(episode)]
            return found[0] if len(found) == 1 else None

    def _refresh(self) -> None:
        """Read what is new; the lock is held."""
        if self._ledger is None:
            if not (self._folder / "ledger.sqlite").exists():
                return
            self._ledger = open_ledger(self._folder)
        head = self._ledger.head()
        if head > self._seq:
            for row in self._ledger.read(after=self._seq, until=head, types=_TYPES):
                self._take(row)
            self._seq = head

    def _take(self, row: LedgerRow) -> None:
        event, held = row.event, self._lines.get(row.episode)
        match event:
            case EpisodeStarted():
                self._lines[row.episode] = EpisodeLine(
                    id=row.episode,
                    number=row.seq,
                    run=row.run,
                    at=row.at,
                    env=event.env,
                    family=event.family,
                    split=event.split,
                    task_id=event.task_id,
                    goal=event.goal,
                    source=event.source,
                    namespace=event.namespace,
                    thread=event.thread,
                )
            case Forgotten():
                self._lines.pop(event.target, None)
            case EpisodeEnded() if held is not None:
                self._lines[row.episode] = replace(
                    held,
                    outcome=event.outcome,
                    score=event.score,
                    waits="",
                    steps=event.steps,
                    learn=event.learn,
                    judge=event.judge,
                    seconds=max(0.0, row.at - held.at),
                )
            case Feedback() if held is not None:
                self._lines[row.episode] = replace(
                    held, outcome=event.outcome, score=event.score, judge=event.judge
                )
            case ApprovalAsked() if held is not None:
                self._lines[row.episode] = replace(held, waits=event.call)
            case ApprovalGiven() if held is not None:
                self._lines[row.episode] = replace(held, waits="")
            case CostNoted() if held is not None:
                self._lines[row.episode] = replace(
                    held,
                    tokens=held.tokens + event.tokens_in + event.tokens_out,
                    dollars=held.dollars + event.dollars,
                )


def page_of(
    lines: Sequence[EpisodeLine],
    before: int | None,
    most: int,
    wanted: Callable[[EpisodeLine], bool],
) -> tuple[list[EpisodeLine], int | None]:
    """Return at most so many wanted lines, the newest first, and where the next page begins.

    Args:
        lines: The oldest first.
        before: Number from which on nothing is shown; None: the newest page.
        most: Lines of a page.
        wanted: Whether a line is shown.

    Returns:
        The lines, and `before` of the next page; None: there is none.
    """
    end = len(lines)
    if before is not None:
        end = bisect.bisect_left(lines, before, key=lambda line: line.number)
    found: list[EpisodeLine] = []
    for line in reversed(lines[:end]):
        if wanted(line):
            if len(found) == most:
                return found, found[-1].number
            found.append(line)
    return found, None
