"""The durable subtasks of an episode: the plan, which subtask is on, and how each one ended."""

import zlib
from typing import Any

from ...envs.text import shortened
from ...envs.types import Observation, Outcome
from ...memory.ledger.events import Event, Planned, Recalled, RecalledItem, SubtaskEnded
from ...memory.ledger.ledger import Entry
from ...memory.ledger.records import EpisodeCase, Judge, SubtaskCase
from ..planning.planner import PlanRequest
from .parts import EpisodeParts
from .state import EpisodeState, current_subtask

_TOLD = 8
"""Actions of another episode that are told."""

Update = dict[str, Any]
STUCK = 12
"""Steps after which a subtask counts as stuck."""
MOST_REPLANS = 3


async def plan_if_needed(parts: EpisodeParts, state: EpisodeState) -> Update:
    """Return a plan, when there is a planner and no plan or a reason for a new one; else nothing."""
    reason = state.get("replan", "")
    if parts.planner is None or (state.get("plan") and not reason):
        return {}
    seen = state["recalled"].seen
    replans = state.get("replans", 0) + bool(reason)
    cases, subtasks = _remembered(parts, state, seen, replans)
    planned = await parts.planner.plan(
        PlanRequest(
            seen=seen,
            cases=cases,
            subtasks=subtasks,
            tools=parts.tools.suggest(seen.goal) if parts.tools is not None else (),
            old_plan=state.get("plan", []),
            done=state.get("done", []),
            failed=state.get("failed", []),
            reason=reason,
            thought=state["thought"],
        )
    )
    step = len(state["actions"])
    event = Planned(step=step, subtasks=tuple(planned), reason=reason)
    parts.append([entry_of(state, f"plan-{step}-{replans}", event, previous(state))])
    return {"plan": planned, "subtask": 0, "subtask_steps": 0, "replan": "", "replans": replans}


def _remembered(
    parts: EpisodeParts, state: EpisodeState, seen: Observation, replans: int
) -> tuple[list[tuple[EpisodeCase, float]], list[tuple[SubtaskCase, float]]]:
    """Return whole episodes and subtasks for a plan, and write what was found, shown and held out.

    A new plan is made from what is like the task; another one also from what is like the subtask that
    failed.
    """
    memory = parts.memory
    if memory is None:
        return [], []
    k, own = memory.config.k, state["task_id"]
    env = seen.task.env
    current = current_subtask(state) if replans else ""
    found: list[tuple[EpisodeCase | SubtaskCase, float]] = [
        *memory.episodes(seen.goal, env=env, k=k, task_id=own, family=seen.task.family),
        *memory.subtasks(current or seen.goal, env=env, k=k, task_id=own, seen=seen.text),
    ]
    exposer = parts.exposer(memory.credit)
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
    parts.append([entry_of(state, f"recall-plan-{step}-{replans}", event, previous(state))])
    return (
        [(case, near) for case, near in shown if isinstance(case, EpisodeCase)],
        [(case, near) for case, near in shown if isinstance(case, SubtaskCase)],
    )


def task_now(parts: EpisodeParts, state: EpisodeState) -> Update:
    """Return what to do now in words, when a subtask is on for the first time."""
    current, known = current_subtask(state), state.get("hints", {})
    if not current or current in known:
        return {}
    worked = _worked(parts, state, current)
    if worked is None:
        return {"hints": {**known, current: current}}
    case, chance = worked
    item = RecalledItem(case=case.id, exposed=True, similarity=1.0, propensity=round(chance, 6))
    event = Recalled(
        step=len(state["actions"]),
        considered=1,
        items=(item,),
        abstained=False,
        grain="subtasks",
    )
    name = f"recall-subtask-{zlib.crc32(current.encode()):08x}"
    parts.append([entry_of(state, name, event, previous(state))])
    more = len(case.actions) - _TOLD
    rest = f"; and {more} more" if more > 0 else ""
    hint = f"{current} (elsewhere done by: {'; '.join(case.actions[:_TOLD])}{rest})"
    return {"hints": {**known, current: hint}}


def _worked(
    parts: EpisodeParts, state: EpisodeState, text: str
) -> tuple[SubtaskCase, float] | None:
    """Return the remembered subtask most like this one that was done and that this episode is shown."""
    if parts.memory is None:
        return None
    exposer = parts.exposer(parts.memory.credit)
    near = parts.memory.subtasks(
        text,
        env=parts.stage.environment.name,
        k=parts.memory.config.k,
        task_id=state["task_id"],
        seen=parts.stage.seen.text,
    )
    for case, _ in near:
        show, chance = exposer.decide(case.episode)
        if case.outcome == "success" and show:
            return case, chance
    return None


async def judge_subtask(parts: EpisodeParts, state: EpisodeState, seen: Observation) -> Update:
    """Have the critic judge the subtask that is on; return what changes: the next one, a new plan, nothing."""
    subtasks, number = state.get("plan", []), state.get("subtask", 0)
    if not subtasks or parts.critic is None:
        return {}
    verdict = await parts.critic.judge(seen.goal, subtasks[number], parts.stage.history, seen)
    late = state.get("subtask_steps", 0) >= STUCK
    critique: Update = {"critique": verdict.critique}
    if verdict.status == "done" and number + 1 < len(subtasks):
        return {
            **end_subtask(parts, state, "success", seen.text, "critic"),
            "subtask": number + 1,
            "subtask_steps": 0,
            **critique,
        }
    # the last subtask is "done" and the environment does not agree: the plan missed something
    if verdict.status != "going" or late:
        if state.get("replans", 0) >= MOST_REPLANS:
            return critique
        missed = verdict.status == "done"
        why = "all subtasks look done and the task is not solved: " if missed else ""
        why = (why + verdict.critique) or "no progress"
        ended = end_subtask(parts, state, "success" if missed else "failure", why, "critic")
        return {**ended, "replan": why, **critique}
    return critique


def end_subtask(
    parts: EpisodeParts, state: EpisodeState, outcome: Outcome, result: str, judge: Judge
) -> Update:
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
    parts.append([entry_of(state, f"subtask-{attempt}-{index}", event, previous(state))])
    if outcome == "success":
        return {"done": [*state.get("done", []), subtasks[index]]}
    return {
        "failed": [
            *state.get("failed", []),
            f"{subtasks[index]}: {shortened(result, 160, around=' ')}",
        ]
    }


def entry_of(state: EpisodeState, what: str, event: Event, cause: str) -> Entry:
    """Return an entry of the ledger for an event of this episode, caused by the event of key `cause`."""
    key, episode = f"{state['episode']}/{what}", state["episode"]
    return Entry(key, state["run"], episode, event, parents=(cause,))


def previous(state: EpisodeState) -> str:
    """Return the key of the event that brought the state about."""
    step = len(state["actions"])
    return f"{state['episode']}/" + (f"step-{step - 1}" if step else "start")
