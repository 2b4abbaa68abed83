"""Runs in the ledger: which one to continue, which of its episodes are done, what came of them.

A run is open while it has a `run_started` and no `run_ended`; the same command continues it.
"""

from collections.abc import Awaitable, Callable, Collection
from typing import Any, NamedTuple

from ..envs.errors import EnvironmentFault
from ..envs.types import Record
from ..memory.ledger.content_id import content_id
from ..memory.ledger.events import EpisodeEnded, EpisodeStarted, RunEnded, RunStarted, Stepped
from ..memory.ledger.ledger import Ledger
from .config import AgentConfig
from .episode.run_episode import EpisodeResult
from .llm.errors import FingerprintChanged
from .prompts.rendering import prompt_hash

Progress = Callable[[int, int, EpisodeResult], None]
"""Told of every episode: how many are done, of how many, and the last result."""


class Run(NamedTuple):
    """A run to begin or to continue."""

    id: str
    offset: int
    """How many tasks of the suite's stream were learned by finished runs before it."""


class Attempt(NamedTuple):
    """One episode of a run: its result, or the id under which to try it."""

    episode: str
    result: EpisodeResult | None


class LearnReport(Record):
    """What a stream of learning episodes came to."""

    run: str
    episodes: tuple[EpisodeResult, ...]
    resumed: int
    """Episodes that were already done when the command began."""
    fingerprint_before: str
    fingerprint_after: str

    @property
    def success(self) -> float:
        """Share of the known outcomes that are successes; 0 when there is none."""
        known = [e for e in self.episodes if e.outcome != "unknown"]
        return sum(e.outcome == "success" for e in known) / len(known) if known else 0.0


def run_started(
    config: AgentConfig, command: str, suite: str, fingerprint: str, more: dict[str, Any]
) -> RunStarted:
    """Return the event that begins a run of a command: everything that its results depend on."""
    return RunStarted(
        command=command,
        suite=suite,
        seed=config.seed,
        fingerprint=fingerprint,
        config={
            **more,
            "prompts": prompt_hash(),
            **config.model_dump(mode="json", exclude={"store", "prices"}),
        },
    )


def next_run(ledger: Ledger, started: RunStarted, going: Collection[str] = ()) -> Run:
    """Return the open run of the same command and settings, or a new one.

    Args:
        ledger: Where runs are known from.
        started: What begins now.
        going: Runs that are going on in this process, which are nobody else's to go on with.

    Raises:
        FingerprintChanged: The open run was begun with another model.
    """
    begun: dict[str, RunStarted] = {}
    ended: dict[str, int] = {}
    for row in ledger.read(episode=""):
        match row.event:
            case RunStarted() if row.event.model_copy(
                update={"config": {}, "fingerprint": ""}
            ) == started.model_copy(update={"config": {}, "fingerprint": ""}):
                begun.setdefault(row.run, row.event)
            case RunEnded() if row.run in begun:
                ended[row.run] = row.event.episodes
    offset = sum(ended.values())
    for run, event in begun.items():
        if run not in ended and run not in going and event.config == started.config:
            check_resumed(event, started)
            return Run(run, offset)
    name = content_id(started.command, started.suite, str(started.seed), str(len(begun)))
    return Run(name, offset)


def check_resumed(before: RunStarted, now: RunStarted) -> None:
    """Raise FingerprintChanged when an open run would go on with another model."""
    if before.fingerprint != now.fingerprint:
        raise FingerprintChanged(
            f"the run began with the model {before.fingerprint[:16]} and would go on with "
            f"{now.fingerprint[:16]}",
            hint="Go on with the first model, or begin anew in another --store.",
        )


def next_attempt(ledger: Ledger, name: str) -> Attempt:
    """Return the known result of an episode, or the id of its next attempt.

    An attempt that ended as unknown is not a result: the next one gets another id, so that its events are
    its own.
    """
    attempt = 0
    while True:
        episode = name + (f"-{attempt}" if attempt else "")
        result = stored_result(ledger, episode)
        if result is None or result.outcome != "unknown":
            return Attempt(episode, result)
        attempt += 1


ATTEMPTS = 3
"""How often an episode that ends as unknown is tried in one call."""


async def known_result(
    ledger: Ledger, name: str, play: Callable[[str], Awaitable[EpisodeResult]], *, what: str
) -> EpisodeResult:
    """Return the known result of an episode; where there is none yet, play it.

    Args:
        ledger: Where it is recorded.
        name: Of the episode, whichever attempt.
        play: Plays an attempt under the id that it is given.
        what: What is played, for the message.

    Raises:
        EnvironmentFault: Every attempt ended as unknown: a fault is no lost task.
    """
    reason = ""
    for _ in range(ATTEMPTS):
        attempt = next_attempt(ledger, name)
        result = attempt.result or await play(attempt.episode)
        if result.outcome != "unknown":
            return result
        reason = result.reason
    raise EnvironmentFault(
        f"{what}: {ATTEMPTS} episodes ended as unknown: {reason}",
        hint="`lichen doctor` says what is wrong; the same command goes on.",
    )


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
