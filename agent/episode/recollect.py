"""What one step of an episode recalls: cases, candidate calls, known failures, skills.

The node `recall` makes it once a step, and it flows to the nodes behind; a run that resumes between two nodes
makes it again here.
"""

from collections.abc import Callable, Sequence

from ...envs.tools import Call
from ...envs.types import Observation
from ...memory.ledger.records import Hits, State
from ...memory.likeness.states import state_of
from ...memory.recall.value import qualities
from ...memory.told.remembered import NOTHING_REMEMBERED, Remembered, remember
from ...memory.tools.bound_calls import CallMoment, told_in, varied
from ...memory.tools.bound_read import bound_read
from ...memory.tools.candidates import candidates
from ..acting.situation import Situation, situation
from ..llm.thought import SILENT, Thought
from ..skill_actions.skill_set import NOTHING, Offered
from ..telemetry.spans import span
from .parts import EpisodeParts
from .recollection import NO_HITS, Recollection
from .stage import Stage
from .state import EpisodeState, hint_now

SURE = 0.5
"""What a remembered call must be expected to bring, of all that can be gained, for learning episodes to try no
variations of it."""


def recollect(parts: EpisodeParts, state: EpisodeState) -> Recollection:
    """Ask memory, tool memory and the skills for the state's step.

    Raises:
        EnvironmentFault: The environment broke, or replayed the same actions differently.
    """
    seen = synced(parts, state)
    calls = _calls(parts, seen)
    open_to = calls if seen.admissible is None and parts.stage.calls else seen.admissible
    with span("search_memory", gen_ai__operation__name="search_memory") as noting:
        known, actions, refused = _accepted(parts.stage)
        hits = _hits(parts, state_of(known, actions), seen, open_to)
        if calls and parts.memory is not None:
            now = state_of(seen, state["actions"])
            specs, moment = parts.stage.environment.tools(), _moment(parts.stage, now)
            hits, helped = bound_read(parts.memory, hits, moment, specs, now, refused)
            if helped and parts.explores and not _sure(now, hits, helped):
                helped = varied(helped, specs) - refused
            calls = tuple(sorted(helped)) or calls  # what is known needs no guesses beside it
        found = Recollection(
            seen=seen,
            candidates=_texts(parts, hits) if open_to is None else calls,
            hits=hits,
            warned=_warned(parts, seen, calls or open_to),
            skills=_skills(parts, state, seen),
            remembered=_whole(parts, state, seen),
        )
        noting.note(
            lichen__memory__steps=len(hits.hits), lichen__memory__cases=len(found.remembered.cases)
        )
        noting.content(gen_ai__retrieval__query__text=seen.goal)
    return found


async def think(parts: EpisodeParts, state: EpisodeState, recalled: Recollection) -> Thought:
    """Return the assistant's thought at the state's step."""
    if parts.policy.talks and not parts.assistant.chat:
        return SILENT
    known = state_of(recalled.seen, state["actions"])
    return await parts.assistant.think(known, recalled.hits, family=recalled.seen.task.family)


def situation_of(
    parts: EpisodeParts, state: EpisodeState, recalled: Recollection, thought: Thought
) -> Situation:
    """Return what the policy decides from at the state's step."""
    stage = parts.stage
    return situation(
        recalled.seen,
        state["actions"],
        recalled.hits,
        seed=state["seed"],
        working=stage.working,
        history=stage.history,
        refused=stage.refused,
        hint=hint_now(state),
        thought=thought,
        warned=recalled.warned,
        favoured=recalled.favoured,
        candidates=recalled.candidates,
        specs=stage.environment.tools() if stage.calls else (),
        opening=stage.observations[0].text if stage.observations else "",
        remembered=recalled.remembered,
        failure_of=_failure_of(parts, recalled.seen),
        mend=_mend_of(parts),
    )


def synced(parts: EpisodeParts, state: EpisodeState) -> Observation:
    """Bring the environment to the state, and return what is seen there."""
    return parts.stage.sync(state["actions"], digest=state.get("digest", ""))


def _texts(parts: EpisodeParts, hits: Hits) -> tuple[str, ...]:
    """Return what can be tried where an action is any text: what was done in like states.

    Where no model writes an action, also what the environment says is worth trying: an agent without
    demonstrations would have nothing to begin with.
    """
    said = [text for hit in hits.hits for text in (hit.case.action, hit.action)]
    if parts.policy.voice is None:
        said += [str(args[0]) for name, args in parts.stage.environment.calls() if name == "act"]
    return tuple(sorted(dict.fromkeys(said)))


def _calls(parts: EpisodeParts, seen: Observation) -> tuple[str, ...]:
    """Return calls to choose among: a model that talks writes its own, and memory may know a better one."""
    stage = parts.stage
    if not stage.calls or seen.admissible is not None or (parts.policy.talks and not parts.memory):
        return ()
    specs = stage.environment.tools()
    if any(
        spec.said for spec in specs
    ):  # a user is answered by the model, not by a remembered call
        return ()
    answers = [old.text for old in stage.observations]
    return tuple(candidates(specs, seen.goal, answers, parts.tools))


def _hits(
    parts: EpisodeParts, state: State, seen: Observation, open_to: tuple[str, ...] | None
) -> Hits:
    if parts.memory is None:
        return NO_HITS
    found = parts.memory.read(
        state,
        env=seen.task.env,
        family=seen.task.family,
        admissible=open_to,
        task_id=parts.stage.task_id,
    )
    return parts.exposer(parts.memory.credit).expose(found)


def _accepted(stage: Stage) -> tuple[Observation, Sequence[str], set[str]]:
    """Return what was seen before calls that were refused, the actions until then, and those calls.

    A call that was refused changed nothing: what helped there helps still. Other actions may have.
    """
    refused: set[str] = set()
    history = stage.history
    while stage.calls and history and history[-1] in stage.refused:
        refused.add(history.pop()[0])
    return stage.observations[len(history)], stage.actions[: len(history)], refused


def _moment(stage: Stage, state: State) -> CallMoment:
    told = told_in(old.text for old in stage.observations)
    return CallMoment(goal=state.goal, told=told, made=tuple(stage.made))


def _sure(state: State, hits: Hits, helped: set[str]) -> bool:
    """Return whether memory knows a call that mostly brought something."""
    return bool(qualities(state, hits, sorted(helped)).max() >= SURE)


def _warned(
    parts: EpisodeParts, seen: Observation, open_to: tuple[str, ...] | None
) -> dict[str, str]:
    if parts.tools is None:
        return {}
    found = {}
    for action in open_to or ():
        note = parts.tools.note(parts.stage.environment.call(action), seen.goal, seen.text)
        if note:
            found[action] = note
    return found


def _whole(parts: EpisodeParts, state: EpisodeState, seen: Observation) -> Remembered:
    """Return what memory says of the whole task, for a conversation that begins."""
    if parts.memory is None or not parts.policy.talks or state.get("talk"):
        return NOTHING_REMEMBERED
    return remember(
        parts.memory,
        parts.tools,
        goal=seen.goal,
        env=seen.task.env,
        family=seen.task.family,
        task_id=seen.task.id,
        seen=seen.text,
        specs=parts.stage.environment.tools() if parts.stage.calls else (),
        shows=parts.exposer(parts.memory.credit).decide,
        k=parts.policy.shown,
    )


def _failure_of(parts: EpisodeParts, seen: Observation) -> Callable[[Call], str]:
    tools = parts.tools
    if tools is None:
        return lambda call: ""
    return lambda call: tools.note(call, seen.goal, seen.text)


def _mend_of(parts: EpisodeParts) -> Callable[[Call, str], Call]:
    if parts.repair is None:
        return lambda call, told: call
    repair, stage = parts.repair, parts.stage

    def mended(call: Call, told: str) -> Call:  # the history is read where there is a call to mend
        return repair.mended(call, told, stage.made)

    return mended


def _skills(parts: EpisodeParts, state: EpisodeState, seen: Observation) -> Offered:
    """Return what is offered, what is held out, and how many skills were considered."""
    idle = state.get("idle", [])
    if parts.skills is None or len(idle) > parts.skills.most_failures:
        return NOTHING
    return parts.skills.offers(
        parts.stage.environment,
        seen,
        parts.llm_name,
        without=idle,
        shows=parts.exposer(parts.skills.credit).decide,
    )
