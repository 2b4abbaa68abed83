"""The durable subtasks of an episode: what the planner reads, which one is on, and how each one ended."""

import zlib
from typing import Any, NamedTuple

from ...envs.types import Observation, Outcome
from ...memory.ledger.events import Event, Recalled, RecalledItem, SubtaskEnded
from ...memory.ledger.ledger import Entry
from ...memory.ledger.records import EpisodeCase, Judge, SubtaskCase
from .desk import Desk
from .state import EpisodeState


class Known(NamedTuple):
    """What memory shows a planner."""

    cases: list[tuple[EpisodeCase, float]]
    subtasks: list[tuple[SubtaskCase, float]]


def read_for_plan(desk: Desk, state: EpisodeState, seen: Observation, replans: int) -> Known:
    """Return whole episodes and subtasks for a plan, and write what was found, shown and held out.

    A new plan is made from what is like the task; another one also from what is like the subtask that
    failed.
    """
    memory = desk.memory
    if memory is None or desk.alone(len(state["actions"])):
        return Known([], [])
    k, own = memory.config.k, state["task_id"]
    env = seen.task.env
    current = current_subtask(state) if replans else ""
    found: list[tuple[EpisodeCase | SubtaskCase, float]] = [
        *memory.episodes(seen.goal, env=env, k=k, task_id=own),
        *memory.subtasks(current or seen.goal, env=env, k=k, task_id=own, seen=seen.text),
    ]
    exposer = desk.exposer(state)
    chances = [exposer.decide(case.episode) for case, _ in found]
    shown = [pair for pair, (show, _) in zip(found, chances, strict=True) if show]
    items = [
        RecalledItem(
            case=case.id,
            exposed=show,
            similarity=round(near, 6) if show else None,
            propensity=round(chance, 6),
        )
        for (case, near), (show, chance) in zip(found, chances, strict=True)
    ]
    step = len(state["actions"])
    event = Recalled(
        step=step,
        considered=len(found),
        items=tuple(sorted(items, key=lambda item: not item.exposed)),
        abstained=not shown,
        grain="episodes",
    )
    desk.append([entry_of(state, f"recall-plan-{step}-{replans}", event, previous(state))])
    return Known(
        [(case, near) for case, near in shown if isinstance(case, EpisodeCase)],
        [(case, near) for case, near in shown if isinstance(case, SubtaskCase)],
    )


def current_subtask(state: EpisodeState) -> str:
    """Return the subtask that is on, an empty text without a plan."""
    subtasks = state.get("plan", [])
    return subtasks[state.get("subtask", 0)] if subtasks else ""


def task_now(desk: Desk, state: EpisodeState) -> str:
    """Return what to do now in words: the subtask, and how one like it was done elsewhere."""
    current = current_subtask(state)
    if not current:
        return ""
    worked = desk.worked(current, state)
    if worked is None:
        return current
    chance = round(desk.exposer(state).decide(worked.episode)[1], 6)
    item = RecalledItem(case=worked.id, exposed=True, similarity=1.0, propensity=chance)
    event = Recalled(
        step=len(state["actions"]),
        considered=1,
        items=(item,),
        abstained=False,
        grain="subtasks",
    )
    name = f"recall-subtask-{zlib.crc32(current.encode()):08x}"
    desk.append([entry_of(state, name, event, previous(state))])
    return f"{current} (elsewhere done by: {'; '.join(worked.actions[:8])})"


def end_subtask(
    desk: Desk, state: EpisodeState, outcome: Outcome, result: str, judge: Judge
) -> dict[str, Any]:
    """Write how the current subtask ended, once, and return what changes in the state."""
    subtasks = state.get("plan", [])
    if not subtasks:
        return {}
    index, attempt, step = state.get("subtask", 0), state.get("replans", 0), len(state["actions"])
    event = SubtaskEnded(
        step=step,
        first=step - state.get("subtask_steps", 0),
        text=subtasks[index],
        index=index,
        of=len(subtasks),
        attempt=attempt,
        outcome=outcome,
        result=result,
        judge=judge,
    )
    desk.append([entry_of(state, f"subtask-{attempt}-{index}", event, previous(state))])
    if outcome == "success":
        return {"done": [*state.get("done", []), subtasks[index]]}
    return {"failed": [*state.get("failed", []), f"{subtasks[index]}: {result[:160]}"]}


def entry_of(state: EpisodeState, what: str, event: Event, cause: str) -> Entry:
    """Return an entry of the ledger for an event of this episode, caused by the event of key `cause`."""
    key, episode = f"{state['episode']}/{what}", state["episode"]
    return Entry(key, state["run"], episode, event, parents=(cause,))


def previous(state: EpisodeState) -> str:
    """Return the key of the event that brought the state about."""
    step = len(state["actions"])
    return f"{state['episode']}/" + (f"step-{step - 1}" if step else "start")
