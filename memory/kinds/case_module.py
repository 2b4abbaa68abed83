"""Cases: what an ended episode leaves as a whole, and of every step.

Pure: events in, records out; the same on every machine.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from ...envs.text import shortened
from ...envs.tools import write_call
from ..ledger.content_id import content_id
from ..ledger.events import Planned, Stepped
from ..ledger.feedback_event import Feedback
from ..ledger.records import EpisodeCase, MemoryRecord, State, StepCase
from ..likeness.features import Idf, hashed, state_features
from .ended_episode import EndedEpisode
from .module import MemoryModule, RecordKind

ANSWER = "answer"
"""The argument of a call that gives an answer."""
DISCOUNT = 0.95
"""Per step; a case's gain prefers the shorter way (AgentFly eq. 5 with gamma = 0.95)."""
KEPT = 600
"""Characters of an answer that a case keeps, its beginning and its end; the ledger has it whole."""


class CaseModule(MemoryModule):
    """Derives one case of the whole episode and one of every step; counts the features of the steps."""

    name = "cases"
    version = 6  # a step that ends a task without success is a loss
    kinds = (
        RecordKind("episodes", EpisodeCase, text=lambda case: case.goal),
        RecordKind(
            "steps",
            StepCase,
            vectors=lambda cases: hashed(case.state for case in cases),
            encoder="hashed-384",
            others=lambda case: (case.subtask, case.state.goal),
        ),
    )

    def __init__(self) -> None:
        self.idf = Idf()
        """How many of the held steps have each feature."""

    def derive(self, episode: EndedEpisode) -> Sequence[MemoryRecord]:
        """See `MemoryModule.derive`."""
        return [_whole(episode), *_steps(episode), *_corrected(episode)]

    def hold(self, records: Sequence[MemoryRecord]) -> None:
        """See `MemoryModule.hold`."""
        for case in records:
            if isinstance(case, StepCase):
                self.idf.add(state_features(case.state))

    def drop(self, records: Sequence[MemoryRecord]) -> None:
        """See `MemoryModule.drop`."""
        for case in records:
            if isinstance(case, StepCase):
                self.idf.remove(state_features(case.state))

    def state(self) -> dict[str, Any]:
        """See `MemoryModule.state`."""
        return {"count": self.idf.count, "frequency": self.idf.frequency}

    def restore(self, state: dict[str, Any]) -> None:
        """See `MemoryModule.restore`."""
        self.idf.count = state["count"]
        self.idf.frequency.update(state["frequency"])


def _whole(episode: EndedEpisode) -> EpisodeCase:
    start, ended = episode.started, episode.ended
    actions = tuple(event.action for _, event in episode.steps)
    plans = episode.of(Planned)
    return EpisodeCase(
        id=content_id("episode", episode.id, start.task_id, *actions),
        episode=episode.id,
        rank=episode.rank,
        env=start.env,
        family=start.family,
        split=start.split,
        task_id=start.task_id,
        goal=start.goal,
        plan=plans[-1][1].subtasks if plans else (),
        actions=actions,
        outcome=ended.outcome,
        score=ended.score,
        source=start.source,
        trust="verified" if start.source == "demonstration" else "observed",
        llm=start.llm,
        events=(episode.start_key, episode.end_key),
    )


def step_id(episode: str, event: Stepped) -> str:
    """Return the id of the case that a step leaves."""
    return content_id("step", episode, str(event.step), event.text, event.action)


def _steps(episode: EndedEpisode) -> list[StepCase]:
    start, ended = episode.started, episode.ended
    taken = [event for _, event in episode.steps]
    final = taken[-1].score_after
    if ended.judge == "critic":  # the environment's own steps say nothing
        final = max(final, ended.score)
    if episode.said is not None:  # who knows better than the steps
        final = ended.score
    errors = [event.error for event in taken]
    if episode.said is not None and episode.said.score < 1 and not errors[-1]:
        errors[-1] = _complaint(episode.said)
    gained = [
        min(0.0, gain) if error else gain  # what was refused brought nothing, whatever came later
        for error, gain in zip(
            errors, gains([event.score_before for event in taken], final), strict=True
        )
    ]
    if taken[-1].terminated and ended.outcome == "failure" and gained[-1] == 0.0:
        gained[-1] = -1.0  # nothing can be gained any more: the step is not to be repeated
    return [
        StepCase(
            id=step_id(episode.id, event),
            episode=episode.id,
            rank=episode.rank,
            env=start.env,
            family=start.family,
            index=event.step,
            state=State(
                goal=event.goal,
                text=event.text,
                inventory=event.inventory,
                recent=event.recent,
                request=event.request,
            ),
            action=event.action,
            offered=event.offered,
            gain=round(gain, 6),
            missing=round(1.0 - event.score_before, 6),
            call=event.call,
            error=error,
            answer=shortened(event.observation, KEPT),
            subtask=event.subtask or event.goal,
            source=start.source,
            events=(key, episode.end_key),
        )
        for (key, event), gain, error in zip(episode.steps, gained, errors, strict=True)
    ]


def _complaint(said: Feedback) -> str:
    """Return what a person said against an answer; empty where that was nothing but a number."""
    right = f"the right answer is: {said.correct}" if said.correct else ""
    return "; ".join(part for part in (said.note, right) if part)


def _corrected(episode: EndedEpisode) -> Iterator[StepCase]:
    """Yield what a person said that the last step should have been."""
    if episode.said is None or not episode.said.correct:
        return
    key, last = episode.steps[-1]
    whole = _steps(episode)[-1]
    action, call = episode.said.correct, last.call
    if call is not None and ANSWER in call.arguments:
        call = call.model_copy(update={"arguments": {**call.arguments, ANSWER: action}})
        action = write_call(call.tool, call.arguments)
    else:
        call = None
    yield whole.model_copy(
        update={
            "id": content_id("correction", episode.id, action),
            "action": action,
            "call": call,
            "index": whole.index + 1,
            "gain": 1.0,
            "error": "",
            "answer": "A person said that this is right.",
            "source": "demonstration",
        }
    )


def gains(scores: list[float], final: float, *, discount: float = DISCOUNT) -> list[float]:
    """Return for every step the discounted share of the still missing score gained from it on.

    Args:
        scores: Score before each step, in [0, 1], length n.
        final: Score after the last step.
        discount: Per step, in (0, 1].

    Returns:
        Values in [-1, 1], length n. A step from which nothing was gained any more has 0.

    >>> [round(g, 3) for g in gains([0.0, 0.5], 1.0, discount=0.5)]
    [0.75, 1.0]
    """
    values, ahead = [0.0] * len(scores), 0.0
    after = final
    for i in range(len(scores) - 1, -1, -1):
        ahead = (after - scores[i]) + discount * ahead
        missing = 1.0 - scores[i]
        values[i] = max(-1.0, min(1.0, ahead / missing)) if missing > 1e-9 else 0.0
        after = scores[i]
    return values
