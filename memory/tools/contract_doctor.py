"""Contract invalidation: what tools changed since memory used them, what that quarantines, what still holds."""

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from ...envs.base import Environment
from ...envs.errors import LichenError
from ...envs.tools import Call
from ...envs.types import Outcome, Record
from ..kinds.tool_module import Contracts, ToolModule
from ..ledger.events import ContractSeen, Reverified
from ..ledger.ledger import Entry
from ..ledger.records import EpisodeCase, StepCase
from ..store.store import Store

_log = logging.getLogger(__name__)


class ContractChange(Record):
    """A tool whose contract is not the one under which memory used it."""

    env: str
    tool: str
    now: str
    """Schema hash; empty: the tool is gone."""
    episodes: tuple[str, ...]
    """Ids of the cases of whole episodes that used it otherwise and are not verified since."""
    steps: tuple[str, ...]
    subtasks: tuple[str, ...]


class EpisodeReplay(Record):
    """What replaying a quarantined episode gave."""

    episode: str
    case: str
    task_id: str
    outcome: Outcome
    """`unknown`: it could not be replayed, and stays quarantined."""
    holds: bool
    reason: str


def changes(store: Store, environment: Environment) -> list[ContractChange]:
    """Return the tools of an environment that changed, with exactly the cases that this concerns.

    Nothing is written.
    """
    return _changes(store, environment.name, _contracts(store, environment))


def _changes(store: Store, env: str, now: Mapping[str, str]) -> list[ContractChange]:
    as_of_now = Contracts(
        now={(env, tool): contract for tool, contract in now.items()},
        replayed=store.module(ToolModule).contracts.replayed,
    )
    steps: defaultdict[str, dict[str, str]] = defaultdict(dict)
    subtasks: defaultdict[str, list[str]] = defaultdict(list)
    for step in store.steps.values():
        if step.call is not None:
            for call in as_of_now.broken(step.env, step.episode, [step.call]):
                steps[call.tool][step.id] = step.episode
    for subtask in store.subtasks.values():
        broken = as_of_now.broken(subtask.env, subtask.episode, subtask.calls)
        for tool in {call.tool for call in broken}:
            subtasks[tool].append(subtask.id)
    return [
        ContractChange(
            env=env,
            tool=tool,
            now=now[tool],
            episodes=tuple(
                whole.id for whole in store.episodes.values() if whole.episode in episodes
            ),
            steps=tuple(steps[tool]),
            subtasks=tuple(subtasks[tool]),
        )
        for tool in sorted(steps)
        if (episodes := set(steps[tool].values()))
    ]


def _contracts(store: Store, environment: Environment) -> dict[str, str]:
    """Return the present contract of every tool that memory used in an environment."""
    used: dict[str, Call] = {}
    for case in store.steps.values():
        if case.env == environment.name and case.call is not None and case.call.tool:
            used.setdefault(case.call.tool, case.call)
    now = {tool: environment.contract(call) for tool, call in sorted(used.items())}
    return {tool: contract for tool, contract in now.items() if contract is not None}


def quarantine(store: Store, environment: Environment) -> list[ContractChange]:
    """Write the contracts that changed, so that what used the old ones is not retrieved; return them.

    Called whenever an agent opens an environment. A contract that comes back releases what was made under it.
    """
    now = _contracts(store, environment)
    found = _changes(store, environment.name, now)
    known = store.module(ToolModule).contracts.now
    changed = {change.tool for change in found}
    fresh = []
    for tool, contract in now.items():
        before = known.get((environment.name, tool))
        if contract != before and (before is not None or tool in changed):
            event = ContractSeen(env=environment.name, tool=tool, schema_hash=contract)
            key = f"contract/{environment.name}/{tool}/{store.ledger.head()}-{contract}"
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
    store: Store, environment: Environment, progress: Callable[[EpisodeReplay], None] | None = None
) -> list[EpisodeReplay]:
    """Replay the quarantined episodes of an environment; those that come out as recorded are released.

    Args:
        store: Open for writing.
        environment: With the present contracts.
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
        steps = [step for step in store.steps.values() if step.episode == case.episode]
        replay = _replay(steps, environment, case)
        done.append(replay)
        if replay.outcome != "unknown":
            calls = {step.call.tool for step in steps if step.call is not None}
            event = Reverified(
                target=case.episode,
                holds=replay.holds,
                contracts={tool: now[tool] for tool in sorted(calls) if tool in now},
                # no text of the environment's: it may have to be forgotten
                reason="" if replay.holds else "another outcome",
            )
            key = f"reverify/{case.episode}/{store.ledger.head()}"
            store.append([Entry(key, "contracts", "", event)])
        if progress is not None:
            progress(replay)
    store.absorb()
    return done


def _replay(
    steps: Sequence[StepCase], environment: Environment, case: EpisodeCase
) -> EpisodeReplay:
    def said(outcome: Outcome, reason: str, *, holds: bool = False) -> EpisodeReplay:
        return EpisodeReplay(
            episode=case.episode,
            case=case.id,
            task_id=case.task_id,
            outcome=outcome,
            holds=holds,
            reason=reason,
        )

    refused = {step.index for step in steps if step.error}
    cap, environment.max_steps = environment.max_steps, len(case.actions) + 1
    try:
        seen = environment.reset(case.task_id)
        best = seen.score
        for number, action in enumerate(case.actions):
            done = environment.step(action)
            seen = done.observation
            best = max(best, seen.score)
            if done.error and number not in refused:
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
