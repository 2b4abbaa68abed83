"""Taking the chosen action, a single one or a skill's, and writing down what was recalled, done and answered.

A skill's steps are steps of the episode, each with an event of its own; the call stands before them.
"""

import time
from dataclasses import replace
from typing import Any

from ...envs.types import Observation, Transition
from ...memory.ledger.events import Recalled, RecalledItem, SkillCalled, Stepped
from ...memory.ledger.ledger import Entry
from ...memory.likeness.states import offered_by, state_of
from ..skill_actions.skill_set import Called, Offer, Offered
from .desk import Desk, digest
from .state import EpisodeState
from .subtasks import current_subtask, entry_of, previous

Update = dict[str, Any]


def take(desk: Desk, state: EpisodeState) -> Update:
    """Take the state's action and return what it changes in the state.

    Raises:
        EnvironmentFault: The environment broke.
    """
    before = desk.sync(state)
    action = state["action"]
    recalled = _recalled(desk, state)
    found = desk.considered(state)
    offers = found.calls
    entries = [recalled]
    if offers or found.held:
        entries.append(_offered(state, found, recalled.key))
    if action not in offers:
        done = desk.play(action)
        entry = _stepped(desk, state, before, action, done, recalled.key)
        desk.append([*entries, replace(entry, took_ms=round(desk.latency_ms, 3))])
        return _update(state, [(action, done)])
    start = time.perf_counter()
    called, steps = desk.use(offers[action])
    took = round((time.perf_counter() - start) * 1000, 3)
    entries.append(replace(_called(state, called, recalled.key), took_ms=took))
    so_far = state
    for seen, step, done in steps:
        desk.call = desk.environment.call(step)
        entries.append(_stepped(desk, so_far, seen, step, done, entries[-1].key, called))
        so_far = {**so_far, "actions": [*so_far["actions"], step]}
    desk.append(entries)
    failed = called.result.outcome != "success"
    idle: Update = {"idle": [*state.get("idle", []), action]} if failed or not steps else {}
    if not steps:
        return {**idle, "kl": None}
    return {**idle, **_update(state, [(step, done) for _, step, done in steps])}


def _update(state: EpisodeState, taken: list[tuple[str, Transition]]) -> Update:
    last = taken[-1][1]
    best = max(done.observation.score for _, done in taken)
    return {
        "actions": [*state["actions"], *(action for action, _ in taken)],
        "kls": [*state.get("kls", []), state.get("kl"), *([None] * (len(taken) - 1))],
        "digest": digest(last.observation),
        "ended": last.terminated or last.truncated,
        "score": max(state.get("score", 0.0), best),
        "subtask_steps": state.get("subtask_steps", 0) + len(taken),
    }


def _recalled(desk: Desk, state: EpisodeState) -> Entry:
    step, hits = len(state["actions"]), desk.remember(state)
    event = Recalled(
        step=step,
        considered=hits.considered,
        items=(
            *(
                RecalledItem(
                    case=hit.case.id,
                    exposed=True,
                    similarity=round(hit.similarity, 6),
                    propensity=round(hit.propensity, 6),
                )
                for hit in hits.hits
            ),
            *(
                RecalledItem(case=hit.case.id, exposed=False, propensity=round(hit.propensity, 6))
                for hit in hits.held
            ),
        ),
        abstained=hits.abstained,
    )
    return entry_of(state, f"recall-{step}", event, previous(state))


def _offered(state: EpisodeState, found: Offered, cause: str) -> Entry:
    """Return the event of the skills that were offered, each once with its best score, and those held out."""
    best: dict[str, Offer] = {}
    for offer in found.calls.values():
        best.setdefault(offer.skill, offer)
    step, idle = len(state["actions"]), len(state.get("idle", []))
    event = Recalled(
        step=step,
        considered=found.considered,
        items=(
            *(
                RecalledItem(
                    case=skill,
                    exposed=True,
                    similarity=round(offer.score, 6),
                    propensity=round(offer.propensity, 6),
                )
                for skill, offer in best.items()
            ),
            *(
                RecalledItem(case=skill, exposed=False, propensity=round(chance, 6))
                for skill, chance in found.held.items()
            ),
        ),
        abstained=False,
        grain="skills",
    )
    return entry_of(state, f"skills-{step}-{idle}", event, cause)


def _called(state: EpisodeState, called: Called, cause: str) -> Entry:
    step, idle = len(state["actions"]), len(state.get("idle", []))
    result = called.result
    event = SkillCalled(
        step=step,
        skill=result.skill,
        arguments=result.arguments,
        outcome=result.outcome,
        reason=result.reason,
        steps=len(called.taken),
        level=result.ran.level if result.ran is not None else "",
    )
    return entry_of(state, f"call-{step}-{idle}", event, cause)


def _stepped(
    desk: Desk,
    state: EpisodeState,
    before: Observation,
    action: str,
    done: Transition,
    cause: str,
    called: Called | None = None,
) -> Entry:
    step = len(state["actions"])
    known = state_of(before, state["actions"])
    event = Stepped(
        step=step,
        goal=known.goal,
        text=known.text,
        inventory=known.inventory,
        recent=known.recent,
        action=action,
        offered=offered_by(before),
        observation=done.observation.text,
        score_before=before.score,
        score_after=done.observation.score,
        kl=state.get("kl") if called is None else None,
        call=desk.call,
        error=done.error,
        subtask=current_subtask(state),
        request=known.request,
        skill=called.result.skill if called is not None else "",
    )
    return entry_of(state, f"step-{step}", event, cause)
