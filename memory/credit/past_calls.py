"""Past calls of skills: what the ledger says of each, what they cost, and how the place was reached.

Reads only, and knows skills by name only. The seed is the run's; the way to the place are the episode's steps.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from ...envs.errors import LichenError, UsageError
from ...envs.suite import load_suite
from ...envs.types import Fact, Outcome, Record
from ..ledger.events import EpisodeStarted, RunStarted, SkillCalled, Stepped
from ..ledger.ledger import Ledger, LedgerRow


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
    found = _calls(ledger)
    return [c for c in reversed(found) if skill in (c.skill, c.skill.partition("@")[0])]


def find_call(ledger: Ledger, name: str) -> PastCall:
    """Return the call that stands in a row, or whose event has an id that begins so.

    Raises:
        UsageError: There is none, or more than one.
    """
    found = [
        call
        for call in _calls(ledger)
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


def _calls(ledger: Ledger) -> list[PastCall]:
    """Return all calls of a ledger, in order."""
    runs: dict[str, RunStarted] = {}
    episodes: dict[str, EpisodeStarted] = {}
    took = ledger.timings()
    found = []
    for row in ledger.read():
        match row.event:
            case RunStarted():
                runs.setdefault(row.run, row.event)
            case EpisodeStarted():
                episodes[row.episode] = row.event
            case SkillCalled() if row.episode in episodes:
                ms = took.get(row.key)
                found.append(_call(row, row.event, episodes[row.episode], runs.get(row.run), ms))
    return found


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
