"""Subtasks: what was to be done for a part of a plan, what was done for it, what came of it.

Without a plan they are the goals that the environment exchanges during the episode, where it does.
"""

from collections.abc import Iterator, Sequence

from ...envs.text import shortened
from ...envs.types import Outcome
from ..ledger.content_id import content_id
from ..ledger.events import Stepped, SubtaskEnded
from ..ledger.records import Judge, MemoryRecord, SubtaskCase
from .case_module import KEPT
from .ended_episode import EndedEpisode
from .module import MemoryModule, RecordKind


class SubtaskModule(MemoryModule):
    """Derives one case of every subtask."""

    name = "subtasks"
    version = 3  # who edited it
    kinds = (RecordKind("subtasks", SubtaskCase, text=lambda case: case.text),)

    def derive(self, episode: EndedEpisode) -> Sequence[MemoryRecord]:
        """See `MemoryModule.derive`."""
        return list(_subtasks(episode))


def _subtasks(episode: EndedEpisode) -> Iterator[SubtaskCase]:
    """Yield the subtasks of the plan, else the goals that the environment exchanged."""
    steps = episode.steps
    planned = [
        (key, event, range(event.first, event.step))
        for key, event in episode.of(SubtaskEnded)
        if event.first < event.step <= len(steps)
    ]
    for key, event, span in planned:
        yield _subtask(
            episode,
            span,
            text=event.text,
            place=(event.index, event.of, event.attempt),
            result=event.result,
            outcome=event.outcome,
            judge=event.judge,
            key=key,
        )
    turns = [] if planned else list(_turns([event for _, event in steps]))
    for index, span in enumerate(turns if len(turns) > 1 else ()):
        first, last = steps[span.start][1], steps[span.stop - 1][1]
        worked = last.score_after > first.score_before
        given_up = span.stop == len(steps) and episode.ended.outcome != "success"
        yield _subtask(
            episode,
            span,
            text=first.goal,
            place=(index, len(turns), 0),
            result=last.observation,
            outcome="success" if worked and not given_up else "failure",
            judge="environment",
            key=steps[span.start][0],
        )


def _subtask(
    episode: EndedEpisode,
    span: range,
    *,
    text: str,
    place: tuple[int, int, int],
    result: str,
    outcome: Outcome,
    judge: Judge,
    key: str,
) -> SubtaskCase:
    start = episode.started
    taken = [episode.steps[i][1] for i in span]
    index, of, attempt = place
    calls = [event.call for event in taken]
    return SubtaskCase(
        id=content_id("subtask", episode.id, str(span.start), str(attempt), text),
        episode=episode.id,
        rank=episode.rank,
        env=start.env,
        family=start.family,
        task_id=start.task_id,
        goal=start.goal,
        text=text,
        state=shortened(taken[0].text, KEPT),
        index=index,
        of=of,
        attempt=attempt,
        actions=tuple(event.action for event in taken),
        calls=tuple(call for call in calls if call is not None),
        result=shortened(result, KEPT),
        outcome=outcome,
        judge=judge,
        source=start.source,
        events=(key, episode.end_key),
    )


def _turns(taken: Sequence[Stepped]) -> Iterator[range]:
    """Yield the runs of steps under one goal."""
    start = 0
    for i in range(1, len(taken) + 1):
        if i == len(taken) or taken[i].goal != taken[start].goal:
            yield range(start, i)
            start = i
