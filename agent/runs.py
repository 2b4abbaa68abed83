"""Runs in the ledger: which one to continue, and which of its episodes are done.

A run is open while it has a `run_started` and no `run_ended`; the same command continues it.
"""

from collections.abc import Callable
from typing import NamedTuple

from ..memory.events import EpisodeEnded, EpisodeStarted, RunEnded, RunStarted, Stepped
from ..memory.fold import content_id
from ..memory.ledger import Ledger
from .episode import EpisodeResult

Progress = Callable[[int, int, EpisodeResult], None]
"""Told of every episode: how many are done, of how many, and the last result."""


class Run(NamedTuple):
    """A run to begin or to continue."""

    id: str
    ordinal: int
    """How many runs of the same command were finished before it."""


class Attempt(NamedTuple):
    """One episode of a run: its result, or the id under which to try it."""

    episode: str
    result: EpisodeResult | None


def next_run(ledger: Ledger, command: str, suite: str, seed: int, count: int) -> Run:
    """Return the open run of this command, or a new one."""
    ended: dict[str, bool] = {}
    for row in ledger.read(episode=""):
        if isinstance(row.event, RunStarted):
            ended.setdefault(row.run, False)
        elif isinstance(row.event, RunEnded):
            ended[row.run] = True
    ordinal = 0
    while ended.get(found := content_id(command, suite, str(seed), str(count), str(ordinal))):
        ordinal += 1
    return Run(found, ordinal)


def finished_attempts(ledger: Ledger, run: str, number: int) -> Attempt:
    """Return the known result of an episode, or the id of its next attempt.

    An attempt that ended as unknown is not a result: the next one gets another id.
    """
    attempt = 0
    while True:
        episode = f"{run}-{number:04d}" + (f"-{attempt}" if attempt else "")
        result = stored_result(ledger, episode)
        if result is None or result.outcome != "unknown":
            return Attempt(episode, result)
        attempt += 1


def stored_result(ledger: Ledger, episode: str) -> EpisodeResult | None:
    """Return the result of an episode from its events, None when it has not ended."""
    actions, kls, started = [], [], None
    for row in ledger.read(episode=episode):
        match row.event:
            case EpisodeStarted():
                started = row.event
            case Stepped():
                actions.append(row.event.action)
                if row.event.kl is not None:
                    kls.append(row.event.kl)
            case EpisodeEnded():
                return EpisodeResult(
                    episode=episode,
                    task_id=started.task_id if started else "",
                    family=started.family if started else "",
                    outcome=row.event.outcome,
                    score=row.event.score,
                    steps=row.event.steps,
                    actions=tuple(actions),
                    kl=sum(kls) / len(kls) if kls else None,
                    reason=row.event.reason,
                )
    return None
