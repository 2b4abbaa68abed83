"""Past calls of skills: what the ledger says of each, what they cost, and how the place was reached.

Reads only, and knows skills by name only. The seed is the run's; the way to the place are the episode's steps.
"""

import threading
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ...envs.errors import LichenError, UsageError
from ...envs.suite import load_suite
from ...envs.types import Fact, Outcome, Record
from ..ledger.events import EpisodeStarted, Forgotten, RunStarted, SkillCalled, Stepped
from ..ledger.ledger import Ledger, LedgerRow

_TYPES = ("run_started", "episode_started", "skill_called", "forgotten")


class PastCall(Record):
    """A call of a skill that stands in a ledger."""

    id: int
    """Its row in the ledger."""
    event: str
    """Id of its event (UUIDv7)."""
    at: float
    """Seconds since 1970."""
    run: str
    episode: str
    env: str
    task_id: str
    llm: str
    """Fingerprint of the model that decided; empty without one."""
    step: int
    """Steps of the episode before it."""
    skill: str
    """`name@version`."""
    arguments: dict[str, Fact]
    outcome: Outcome
    reason: str
    steps: int
    level: str
    """Of the jail."""
    within: str
    seconds: float | None
    """Wall time, the environment's included; None where it was not measured."""
    seed: int | None
    """Of the run; None where its beginning is not in the ledger."""
    options: dict[str, Any]
    """The environment was opened with these."""
    max_steps: int | None
    """Step cap of the episode; None where it is not known."""


class Way(NamedTuple):
    """How an episode came to a call, and what the call did there."""

    before: tuple[Stepped, ...]
    """Steps from the episode's beginning to the call."""
    taken: tuple[Stepped, ...]
    """Steps of the call itself."""


class CallCost(Record):
    """What the calls of one version cost, as means a call."""

    skill: str
    """`name@version`."""
    calls: int
    steps: float
    """Steps of the environment."""
    seconds: float | None
    """Over the calls that were measured; None where none was."""
    measured: int
    """Calls whose time is known."""
    tokens: float = 0.0
    """Model tokens: 0, skill code runs in the jail without a model. The decision to call it is not counted,
    since the model would have been asked for an action anyway."""


def past_calls(ledger: Ledger, skill: str) -> list[PastCall]:
    """Return the calls of a skill, newest first.

    Args:
        ledger: Where to look.
        skill: A name, for all its versions, or `name@version`.
    """
    return CallLog(ledger).of(skill)


def find_call(ledger: Ledger, name: str) -> PastCall:
    """Return the call that stands in a row, or whose event has an id that begins so.

    Raises:
        UsageError: There is none, or more than one.
    """
    found = [
        call
        for call in CallLog(ledger).all()
        if name == str(call.id) or (len(name) > 7 and call.event.startswith(name))
    ]
    if len(found) != 1:
        said = "no call" if not found else f"{len(found)} calls"
        raise UsageError(
            f"{said} of a skill in this ledger: {name!r}",
            hint="`lichen skills show NAME` lists the calls of a skill with their numbers.",
        )
    return found[0]


def way_to(ledger: Ledger, call: PastCall) -> Way:
    """Return the steps that led to a call, and its own."""
    rows = ledger.read(episode=call.episode)
    steps = [row.event for row in rows if isinstance(row.event, Stepped)]
    end = call.step + call.steps
    return Way(
        tuple(step for step in steps if step.step < call.step),
        tuple(step for step in steps if call.step <= step.step < end),
    )


def costs(calls: Sequence[PastCall]) -> list[CallCost]:
    """Return what the calls of each version cost, the newest version first."""
    grouped: dict[str, list[PastCall]] = {}
    for call in calls:
        grouped.setdefault(call.skill, []).append(call)
    found = []
    for skill, mine in grouped.items():
        took = [call.seconds for call in mine if call.seconds is not None]
        found.append(
            CallCost(
                skill=skill,
                calls=len(mine),
                steps=sum(call.steps for call in mine) / len(mine),
                seconds=sum(took) / len(took) if took else None,
                measured=len(took),
            )
        )
    return sorted(found, key=lambda cost: -int(cost.skill.rpartition("@")[2] or 0))


class CallLog:
    """The calls of skills in one ledger, read once, then only what is new.

    Args:
        ledger: Where they stand.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._lock = threading.Lock()
        self._seq = 0
        self._clear()

    def of(self, skill: str) -> list[PastCall]:
        """Return the calls of a skill, newest first; see `past_calls`."""
        return [c for c in reversed(self.all()) if skill in (c.skill, c.skill.partition("@")[0])]

    def all(self) -> list[PastCall]:
        """Return all calls as they are now, in order."""
        with self._lock:
            head = self._ledger.head()
            if head > self._seq:
                rows = list(self._ledger.read(after=self._seq, until=head, types=_TYPES))
                if self._seq and any(isinstance(row.event, Forgotten) for row in rows):
                    self._clear()  # rows that were read lost their content
                    rows = list(self._ledger.read(until=head, types=_TYPES))
                took = self._ledger.timings() if rows else {}
                for row in rows:
                    self._take(row, took)
                self._seq = head
            return list(self._calls)

    def _clear(self) -> None:
        self._seq = 0
        self._runs: dict[str, RunStarted] = {}
        self._episodes: dict[str, EpisodeStarted] = {}
        self._calls: list[PastCall] = []

    def _take(self, row: LedgerRow, took: Mapping[str, float]) -> None:
        match row.event:
            case RunStarted():
                self._runs.setdefault(row.run, row.event)
            case EpisodeStarted():
                self._episodes[row.episode] = row.event
            case SkillCalled() if row.episode in self._episodes:
                began, run = self._episodes[row.episode], self._runs.get(row.run)
                self._calls.append(_call(row, row.event, began, run, took.get(row.key)))


def _call(
    row: LedgerRow,
    called: SkillCalled,
    episode: EpisodeStarted,
    run: RunStarted | None,
    ms: float | None,
) -> PastCall:
    options, cap = _opened(run) if run is not None else ({}, None)
    return PastCall(
        id=row.seq,
        event=row.id,
        at=row.at,
        run=row.run,
        episode=row.episode,
        env=episode.env,
        task_id=episode.task_id,
        llm=episode.llm,
        seconds=None if ms is None else ms / 1000,
        seed=None if run is None else run.seed,
        options=options,
        max_steps=cap,
        **called.model_dump(exclude={"type", "version"}),
    )


def _opened(run: RunStarted) -> tuple[dict[str, Any], int | None]:
    """Return the options and the step cap that a run opened its environment with, as far as they are known."""
    suite = run.config.get("suite")
    if isinstance(suite, dict):  # an evaluation keeps its suite whole
        return dict(suite.get("env_options", {})), suite.get("max_steps")
    if "max_steps" in run.config:  # a single task
        return {}, run.config["max_steps"]
    try:
        named = load_suite(run.suite)
    except LichenError:  # a suite's file that is not there any more
        return {}, None
    return dict(named.env_options), named.max_steps
