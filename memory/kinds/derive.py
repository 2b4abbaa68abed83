"""What one ended episode leaves: a case of the whole, one of every step, one of every subtask.

Pure: events in, records out; the same on every machine.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ...envs.types import Outcome
from ..credit.credit import Exposure
from ..ledger.events import EpisodeEnded, EpisodeStarted, Stepped, SubtaskEnded
from ..ledger.records import Case, EpisodeCase, Judge, State, StepCase, SubtaskCase

DISCOUNT = 0.95
"""Per step; a case's gain prefers the shorter way (AgentFly eq. 5 with gamma = 0.95)."""
KEPT = 300
"""Characters of an answer that a case keeps; the ledger has it whole."""


@dataclass
class OpenEpisode:
    """An episode whose end was not yet read."""

    started: EpisodeStarted
    start_id: str
    steps: list[tuple[str, Stepped]] = field(default_factory=list)
    plan: tuple[str, ...] = ()
    subtasks: list[tuple[str, SubtaskEnded]] = field(default_factory=list)
    considered: dict[str, Exposure] = field(default_factory=dict)
    """Remembered episodes that its reads found, as they were at the first of them."""
    skills: dict[str, Exposure] = field(default_factory=dict)
    """Skills that it was offered or denied, with its LLM."""


class Learned(NamedTuple):
    """What an episode left."""

    whole: EpisodeCase
    steps: tuple[StepCase, ...]
    subtasks: tuple[SubtaskCase, ...]

    @property
    def cases(self) -> list[Case]:
        """All of it, the whole first."""
        return [self.whole, *self.steps, *self.subtasks]


def learned(
    episode: str, rank: int, opened: OpenEpisode, end_id: str, ended: EpisodeEnded
) -> Learned:
    """Return the cases of an ended episode that has steps.

    Args:
        episode: Its id.
        rank: How many episodes were learned before it.
        opened: Its events but the last.
        end_id: Key of the last one.
        ended: How it ended.
    """
    start = opened.started
    taken = [event for _, event in opened.steps]
    final = taken[-1].score_after
    if ended.judge == "critic":  # the environment's own steps say nothing
        final = max(final, ended.score)
    gained = gains([event.score_before for event in taken], final)
    whole = EpisodeCase(
        id=content_id("episode", episode, start.task_id, *(event.action for event in taken)),
        episode=episode,
        rank=rank,
        env=start.env,
        family=start.family,
        split=start.split,
        task_id=start.task_id,
        goal=start.goal,
        plan=opened.plan,
        actions=tuple(event.action for event in taken),
        outcome=ended.outcome,
        score=ended.score,
        source=start.source,
        trust="verified" if start.source == "demonstration" else "observed",
        llm=start.llm,
        events=(opened.start_id, end_id),
    )
    steps = tuple(
        StepCase(
            id=content_id("step", episode, str(event.step), event.text, event.action),
            episode=episode,
            rank=rank,
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
            error=event.error,
            answer=event.observation[:KEPT],
            subtask=event.subtask or event.goal,
            source=start.source,
            events=(key, end_id),
        )
        for (key, event), gain in zip(opened.steps, gained, strict=True)
    )
    return Learned(whole, steps, tuple(_subtasks(whole, opened, end_id, ended)))


def _subtasks(
    whole: EpisodeCase, opened: OpenEpisode, end_id: str, ended: EpisodeEnded
) -> Iterator[SubtaskCase]:
    """Yield the subtasks of the plan, else those that the environment gives: a goal that it exchanges."""
    planned = [
        (key, event, range(event.first, event.step))
        for key, event in opened.subtasks
        if event.first < event.step <= len(opened.steps)
    ]
    for key, event, span in planned:
        yield _subtask(
            whole,
            opened,
            span,
            text=event.text,
            place=(event.index, event.of, event.attempt),
            result=event.result,
            outcome=event.outcome,
            judge=event.judge,
            events=(key, end_id),
        )
    turns = [] if planned else list(_turns([event for _, event in opened.steps]))
    for index, span in enumerate(turns if len(turns) > 1 else ()):
        first, last = opened.steps[span.start][1], opened.steps[span.stop - 1][1]
        worked = last.score_after > first.score_before
        given_up = span.stop == len(opened.steps) and ended.outcome != "success"
        yield _subtask(
            whole,
            opened,
            span,
            text=first.goal,
            place=(index, len(turns), 0),
            result=last.observation,
            outcome="success" if worked and not given_up else "failure",
            judge="environment",
            events=(opened.steps[span.start][0], end_id),
        )


def _subtask(
    whole: EpisodeCase,
    opened: OpenEpisode,
    span: range,
    *,
    text: str,
    place: tuple[int, int, int],
    result: str,
    outcome: Outcome,
    judge: Judge,
    events: tuple[str, ...],
) -> SubtaskCase:
    taken = [opened.steps[i][1] for i in span]
    index, of, attempt = place
    calls = [event.call for event in taken]
    return SubtaskCase(
        id=content_id("subtask", whole.episode, str(span.start), str(attempt), text),
        episode=whole.episode,
        rank=whole.rank,
        env=whole.env,
        family=whole.family,
        task_id=whole.task_id,
        goal=whole.goal,
        text=text,
        state=taken[0].text[:KEPT],
        index=index,
        of=of,
        attempt=attempt,
        actions=tuple(event.action for event in taken),
        calls=tuple(call for call in calls if call is not None),
        result=result[:KEPT],
        outcome=outcome,
        judge=judge,
        source=whole.source,
        events=events,
    )


def _turns(taken: Sequence[Stepped]) -> Iterator[range]:
    """Yield the runs of steps under one goal."""
    start = 0
    for i in range(1, len(taken) + 1):
        if i == len(taken) or taken[i].goal != taken[start].goal:
            yield range(start, i)
            start = i


def evidence_of(task_id: str, actions: Sequence[str]) -> str:
    """Return the hash of what an episode is evidence of: these actions in this task."""
    return content_id("evidence", task_id, *actions)


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


def content_id(*parts: str) -> str:
    """Return 16 hex digits that name the content.

    >>> content_id("a", "b") == content_id("a", "b") != content_id("ab")
    True
    """
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]
