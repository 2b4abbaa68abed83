"""Taking the chosen action, a single one or a skill's, and writing down what was recalled, done and answered.

A skill's steps are steps of the episode, each with an event of its own; the call stands before them.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ...envs.approval import ApprovalNeeded
from ...envs.errors import EnvironmentFault
from ...envs.text import shortened
from ...envs.types import Observation
from ...memory.ledger.events import ChannelsWeighed, Recalled, RecalledItem, SkillCalled, Stepped
from ...memory.ledger.ledger import Entry
from ...memory.ledger.records import Hits
from ...memory.likeness.states import offered_by, state_of
from ...memory.told.remembered import ReadCase, whole_read
from ..skill_actions.skill_set import Called, Offer, Offered
from ..telemetry.spans import span
from .parts import EpisodeParts
from .recollect import synced
from .stage import Played, digest_of
from .state import EpisodeState, current_subtask, with_update
from .subtasks import entry_of, previous

Update = dict[str, Any]
_KEPT = 4_000
"""Characters of what was thought that are written down."""


def take(parts: EpisodeParts, state: EpisodeState) -> Update:
    """Take the state's action and return what it changes in the state.

    Raises:
        EnvironmentFault: The environment broke.
    """
    action, found = state["action"], state["recalled"]
    synced(parts, state)
    recalled = _recalled(state, found.hits)
    entries = [recalled, *_weighed(parts, state, recalled.key)]
    if found.remembered.read:
        entries.append(_whole_cases(state, found.remembered.read, recalled.key))
    if found.skills.calls or found.skills.held:
        entries.append(_offered(state, found.skills, recalled.key))
    offer = found.skills.named(action)
    if offer is None:
        played = _played(parts, action)._replace(before=found.seen)
        entry = _stepped(state, played, recalled.key)
        parts.append([*entries, replace(entry, took_ms=round(played.took_ms, 3))])
        return _update(parts, state, [played])
    start = time.perf_counter()
    with span(f"execute_tool {offer.skill}", gen_ai__operation__name="execute_tool") as noting:
        called, steps = _use(parts, offer, found.seen)
        noting.note(gen_ai__tool__name=offer.skill, gen_ai__tool__type="extension")
        if called.result.outcome != "success":
            noting.failed(called.result.outcome)
    took = round((time.perf_counter() - start) * 1000, 3)
    entries.append(replace(_called(state, called, recalled.key), took_ms=took))
    so_far = state
    for played in steps:
        entries.append(_stepped(so_far, played, entries[-1].key, called))
        so_far = with_update(so_far, {"actions": [*so_far["actions"], played.action]})
    parts.append(entries)
    failed = called.result.outcome != "success"
    idle: Update = {"idle": [*state.get("idle", []), action]} if failed or not steps else {}
    if not steps:
        return {**idle, "kl": None}
    return {**idle, **_update(parts, state, steps)}


def _played(parts: EpisodeParts, action: str) -> Played:
    """Take one action, a call of a tool in a span of its own.

    Raises:
        EnvironmentFault: The environment broke.
    """
    call = parts.stage.environment.call(action)
    name = call.tool if call is not None else ""
    with span(f"execute_tool {name}".strip(), gen_ai__operation__name="execute_tool") as noting:
        noting.note(gen_ai__tool__name=name, gen_ai__tool__type="function")
        played = parts.stage.play(action)
        if played.done.error:
            noting.failed("refused")
        noting.content(
            gen_ai__tool__call__arguments=action,
            gen_ai__tool__call__result=played.done.observation.text,
        )
    return played


def _use(parts: EpisodeParts, offer: Offer, seen: Observation) -> tuple[Called, list[Played]]:
    """Call a skill; return what came of it and the steps that it took.

    Raises:
        EnvironmentFault: The environment broke.
        ApprovalNeeded: A call in it waits for a person.
    """
    stage = parts.stage
    assert parts.skills is not None  # it was offered
    try:
        called = parts.skills.call(offer, stage.environment, seed=stage.seed)
    except ApprovalNeeded:
        # it is called anew once a person has said something; the journal knows its calls
        stage.rewind()
        raise
    steps = [
        stage.note(action, done, call=stage.environment.call(action))
        for action, done in called.taken
    ]
    if steps:
        steps[0] = steps[0]._replace(before=seen)
    if called.result.outcome == "unknown" and called.result.broke:
        raise EnvironmentFault(called.result.reason)
    return called, steps


def _update(parts: EpisodeParts, state: EpisodeState, taken: list[Played]) -> Update:
    last = taken[-1].done
    best = max(state.get("score", 0.0), *(played.done.observation.score for played in taken))
    if parts.stage.environment.measure == "score":  # what was had once and lost again is not had
        best = last.observation.score
    return {
        "actions": [*state["actions"], *(played.action for played in taken)],
        "kls": [*state.get("kls", []), state.get("kl"), *([None] * (len(taken) - 1))],
        "digest": digest_of(last.observation),
        "ended": last.terminated or last.truncated,
        "score": best,
        "subtask_steps": state.get("subtask_steps", 0) + len(taken),
    }


def _recalled(state: EpisodeState, hits: Hits) -> Entry:
    step = len(state["actions"])
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


def _weighed(parts: EpisodeParts, state: EpisodeState, cause: str) -> list[Entry]:
    """Return the event of what the channels said, where it may teach something."""
    said = state.get("weighed")
    if not said:
        return []
    event = ChannelsWeighed(
        step=len(state["actions"]),
        env=parts.stage.environment.name,
        family=parts.stage.seen.task.family,
        llm=parts.llm_name,
        learned=parts.memory.learned if parts.memory is not None else 0,
        **said,
    )
    return [entry_of(state, f"weighed-{event.step}-{len(state.get('idle', []))}", event, cause)]


def _whole_cases(state: EpisodeState, read: Sequence[ReadCase], cause: str) -> Entry:
    """Return the event of the whole cases that a conversation begins with, and those held out."""
    step = len(state["actions"])
    return entry_of(state, f"recall-whole-{step}", whole_read(read, step), cause)


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
    state: EpisodeState, played: Played, cause: str, called: Called | None = None
) -> Entry:
    step, before, done = len(state["actions"]), played.before, played.done
    known = state_of(before, state["actions"])
    event = Stepped(
        step=step,
        goal=known.goal,
        text=known.text,
        inventory=known.inventory,
        recent=known.recent,
        action=played.action,
        offered=offered_by(before),
        observation=done.observation.text,
        score_before=before.score,
        score_after=done.observation.score,
        kl=state.get("kl") if called is None else None,
        call=played.call,
        error=done.error,
        terminated=done.terminated,
        subtask=current_subtask(state),
        request=known.request,
        skill=called.result.skill if called is not None else "",
        thought=_thought(state) if called is None else "",
    )
    return entry_of(state, f"step-{step}", event, cause)


def _thought(state: EpisodeState) -> str:
    """Return what was thought in words: by the assistant, and by the model beside its call."""
    words = state["thought"].words if "thought" in state else ""
    turns = state.get("talk", [])
    beside = turns[-1]["content"] if turns and turns[-1].get("uses") else ""
    return shortened("\n".join(part for part in (words, beside.strip()) if part), _KEPT)
