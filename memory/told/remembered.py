"""What memory has to say of a whole task to a model that reads: like cases with what came of them, and tools.

It is read once an episode, before the first decision; the conversation keeps it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ...envs.tools import ToolSpec
from ..ledger.events import Recalled, RecalledItem
from ..ledger.records import EpisodeCase, StepCase, SubtaskCase
from ..recall.case_memory import CaseMemory
from ..tools.tool_memory import ToolMemory

Shows = Callable[[str], tuple[bool, float]]
"""Whether this episode is shown a remembered one, and with which probability (see `Exposer.decide`)."""
_FAILED_OFTEN = 3
"""Reasons of refusals that are told of a tool."""


@dataclass(frozen=True)
class WholeCase:
    """One remembered episode with its steps."""

    case: EpisodeCase
    steps: tuple[StepCase, ...]
    """In order."""


@dataclass(frozen=True)
class ReadCase:
    """A case that was found, for the ledger."""

    id: str
    similarity: float
    shown: bool
    propensity: float


@dataclass(frozen=True)
class Remembered:
    """What is told before the first decision."""

    cases: tuple[WholeCase, ...] = ()
    """Nearest first."""
    subtasks: tuple[SubtaskCase, ...] = ()
    """That worked elsewhere."""
    useful: tuple[str, ...] = ()
    """Tools that brought something in like tasks, best first."""
    failures: tuple[str, ...] = ()
    """How calls of the tools that are there were refused, one sentence each."""
    read: tuple[ReadCase, ...] = ()
    """Everything that was found, shown or held out."""

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to tell."""
        return not (self.cases or self.subtasks or self.useful or self.failures)


NOTHING_REMEMBERED = Remembered()


def whole_read(read: Sequence[ReadCase], step: int = 0) -> Recalled:
    """Return the event of the whole cases that were found at a step: those shown first, then those held out."""
    return Recalled(
        step=step,
        considered=len(read),
        items=tuple(
            RecalledItem(
                case=case.id,
                exposed=case.shown,
                similarity=round(case.similarity, 6) if case.shown else None,
                propensity=round(case.propensity, 6),
            )
            for case in sorted(read, key=lambda case: not case.shown)
        ),
        abstained=not any(case.shown for case in read),
        grain="episodes",
    )


def remember(
    memory: CaseMemory,
    tools: ToolMemory | None,
    *,
    goal: str,
    env: str,
    family: str,
    task_id: str,
    seen: str,
    specs: Sequence[ToolSpec],
    shows: Shows,
    k: int,
) -> Remembered:
    """Return what memory says of the task that begins.

    Args:
        memory: What may be recalled.
        tools: Tool memory over the same.
        goal: The task in words.
        env: Name of its environment.
        family: The kind of task.
        task_id: Its own earlier episodes are left out.
        seen: What is seen first.
        specs: The tools that are there; others are not spoken of.
        shows: Which remembered episodes are shown.
        k: Whole cases, and subtasks, at most.
    """
    if k < 1:
        return NOTHING_REMEMBERED
    wholes = memory.episodes(goal, env=env, k=2 * k, task_id=task_id, family=family)
    parts = memory.subtasks(goal, env=env, k=2 * k, task_id=task_id, seen=seen)
    found: list[tuple[EpisodeCase | SubtaskCase, float]] = [*wholes, *parts]
    chances = {case.episode: shows(case.episode) for case, _ in found}
    chosen = [case for case, _ in wholes if chances[case.episode][0]][:k]
    told = [WholeCase(case, steps) for case in chosen if (steps := memory.steps_of(case))]
    worked = [case for case, _ in parts if case.outcome == "success" and chances[case.episode][0]][
        :k
    ]
    there = {spec.name for spec in specs}
    shown = {case.id for case in (*(whole.case for whole in told), *worked)}
    return Remembered(
        cases=tuple(told),
        subtasks=tuple(worked),
        useful=tuple(s.tool for s in tools.suggest(goal, k=4) if s.tool in there)
        if tools is not None
        else (),
        failures=tuple(_failures(tools, there)) if tools is not None else (),
        read=tuple(
            ReadCase(case.id, near, case.id in shown, chances[case.episode][1])
            for case, near in found
            if case.id in shown or not chances[case.episode][0]
        ),
    )


def _failures(tools: ToolMemory, there: set[str]) -> list[str]:
    return [
        f"{refused.tool} was refused {count} of {refused.n} times: {reason}"
        for refused in tools.refusals()
        if refused.tool in there
        for reason, count in refused.reasons[:_FAILED_OFTEN]
    ]
