"""Contract invalidation: what tools changed since memory used them, what that quarantines, what still holds."""

import logging
from collections.abc import Callable, Iterator, Sequence

from ..envs.base import Environment
from ..envs.errors import LichenError
from ..envs.tools import Call
from ..envs.types import Outcome, Record
from .events import ContractSeen, Reverified
from .ledger import Entry
from .store import Store
from .types import EpisodeCase, StepCase

_log = logging.getLogger(__name__)


class Change(Record):
    """A tool whose contract is not the one under which memory used it."""

    env: str
    tool: str
    now: str
    """Schema hash; empty: the tool is gone."""
    episodes: tuple[str, ...]
    """Ids of the cases of whole episodes that used it otherwise and are not verified since."""
    steps: tuple[str, ...]
    subtasks: tuple[str, ...]


class Replay(Record):
    """What replaying a quarantined episode gave."""

    episode: str
    case: str
    task_id: str
    outcome: Outcome
    """`unknown`: it could not be replayed, and stays quarantined."""
    holds: bool
    reason: str


def changes(store: Store, environment: Environment) -> list[Change]:
    """Return the tools of an environment that changed, with exactly the cases that this concerns.

    Nothing is written.
    """
    found = []
    for tool, now in _contracts(store, environment).items():
        steps = {
            case.id: case.episode
            for case in store.steps.values()
            if _uses(store, case.env, case.episode, [case.call], environment, tool, now)
        }
        if not steps:
            continue
        episodes = set(steps.values())
        found.append(
            Change(
                env=environment.name,
                tool=tool,
                now=now,
                episodes=tuple(c.id for c in store.episodes.values() if c.episode in episodes),
                steps=tuple(steps),
                subtasks=tuple(
                    case.id
                    for case in store.subtasks.values()
                    if _uses(store, case.env, case.episode, case.calls, environment, tool, now)
                ),
            )
        )
    return found


def _contracts(store: Store, environment: Environment) -> dict[str, str]:
    """Return the contract of now of every tool that memory used in an environment."""
    used: dict[str, Call] = {}
    for case in store.steps.values():
        if case.env == environment.name and case.call is not None and case.call.tool:
            used.setdefault(case.call.tool, case.call)
    return {tool: environment.contract(call) for tool, call in sorted(used.items())}


def _uses(
    store: Store,
    env: str,
    episode: str,
    calls: Sequence[Call | None],
    environment: Environment,
    tool: str,
    now: str,
) -> bool:
    if env != environment.name:
        return False
    replay = store.fold.contracts.replayed.get(episode)
    verified = replay is not None and replay.holds and replay.contracts.get(tool) == now
    return not verified and any(
        call is not None and call.tool == tool and call.schema_hash != now for call in calls
    )


def quarantine(store: Store, environment: Environment) -> list[Change]:
    """Write the contracts that changed, so that what used the old ones is not retrieved; return them.

    Called whenever an agent opens an environment. A contract that comes back releases what was made under it.
    """
    found = changes(store, environment)
    known = store.fold.contracts.now
    fresh = []
    for tool, now in _contracts(store, environment).items():
        before = known.get((environment.name, tool))
        changed = any(change.tool == tool for change in found)
        if now != before and (before is not None or changed):
            event = ContractSeen(env=environment.name, tool=tool, schema_hash=now)
            key = f"contract/{environment.name}/{tool}/{store.ledger.head()}-{now}"
            fresh.append(Entry(key, "contracts", "", event))
    if fresh:
        store.append(fresh)
        store.absorb()
        for change in found:
            _log.warning(
                "%s: the tool %s has another contract now; %d episodes, %d steps and %d subtasks "
                "that used the old one are quarantined (`lichen memory reverify` replays them)",
                environment.name,
                change.tool,
                len(change.episodes),
                len(change.steps),
                len(change.subtasks),
            )
    return found


def reverify(
    store: Store, environment: Environment, progress: Callable[[Replay], None] | None = None
) -> list[Replay]:
    """Replay the quarantined episodes of an environment; those that come out as recorded are released.

    Args:
        store: Open for writing.
        environment: With the contracts of now.
        progress: Told of every replay.
    """
    quarantine(store, environment)
    now = _contracts(store, environment)
    waiting = [
        case
        for case in store.episodes.values()
        if case.env == environment.name and store.trust(case) == "quarantined"
    ]
    done = []
    for case in waiting:
        replay = _replay(store, environment, case)
        done.append(replay)
        if replay.outcome != "unknown":
            calls = {c.call.tool for c in _steps(store, case) if c.call is not None}
            event = Reverified(
                target=case.episode,
                holds=replay.holds,
                contracts={tool: now[tool] for tool in sorted(calls) if tool in now},
                reason=""
                if replay.holds
                else "another outcome",  # no text that may have to be forgotten
            )
            key = f"reverify/{case.episode}/{store.ledger.head()}"
            store.append([Entry(key, "contracts", "", event)])
        if progress is not None:
            progress(replay)
    store.absorb()
    return done


def _steps(store: Store, case: EpisodeCase) -> Iterator[StepCase]:
    return (step for step in store.steps.values() if step.episode == case.episode)


def _was_refused(store: Store, case: EpisodeCase, number: int) -> bool:
    return any(step.index == number and step.error for step in _steps(store, case))


def _replay(store: Store, environment: Environment, case: EpisodeCase) -> Replay:
    def said(outcome: Outcome, reason: str, *, holds: bool = False) -> Replay:
        return Replay(
            episode=case.episode,
            case=case.id,
            task_id=case.task_id,
            outcome=outcome,
            holds=holds,
            reason=reason,
        )

    cap, environment.max_steps = environment.max_steps, len(case.actions) + 1
    try:
        seen = environment.reset(case.task_id)
        best = seen.score
        for number, action in enumerate(case.actions):
            done = environment.step(action)
            seen = done.observation
            best = max(best, seen.score)
            if done.error and not _was_refused(store, case, number):
                return said("failure", f"step {number} was refused: {done.error}")
            if done.terminated or done.truncated:
                break
        if not environment.verifiable:
            return said("unknown", "nothing but a judge can say whether it still holds")
        outcome: Outcome = "success" if seen.won else "failure"
        same = outcome == case.outcome and abs(best - case.score) < 1e-6
        return said(outcome, "" if same else f"{outcome} with a score of {best:.2f}", holds=same)
    except LichenError as error:
        return said("unknown", f"{type(error).__name__}: {error}")
    finally:
        environment.max_steps = cap
