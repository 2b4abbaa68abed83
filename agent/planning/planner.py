"""The planner: decomposes a task into subtasks, and again when they fail (the style `plan`).

The style `reactive` has no planner: every step is one choice of the policy, which a 135M model can make.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import Field

from ...envs.types import Observation, Record
from ...memory.ledger.records import EpisodeCase, SubtaskCase
from ...memory.tools.tool_memory import Suggestion
from ..llm.errors import LLMNonsense
from ..llm.protocol import FrozenLLM, Message
from ..llm.thought import SILENT, Thought, chat
from ..prompts.rendering import render


class Plan(Record):
    """A decomposition of the task."""

    subtasks: list[str] = Field(min_length=1, description="short imperative sentences, in order")


@dataclass(frozen=True)
class PlanRequest:
    """What a plan is made from."""

    seen: Observation
    """The last observation."""
    cases: Sequence[tuple[EpisodeCase, float]] = ()
    """Whole episodes of like tasks, with their similarities."""
    subtasks: Sequence[tuple[SubtaskCase, float]] = ()
    """Remembered subtasks like this task, or like the one that failed."""
    tools: Sequence[Suggestion] = ()
    """What tool memory suggests."""
    old_plan: Sequence[str] = ()
    """The plan so far."""
    done: Sequence[str] = ()
    """Its subtasks that were done."""
    failed: Sequence[str] = ()
    """Those that were given up, with the reasons."""
    reason: str = ""
    """Why another plan is needed; empty for the first."""
    thought: Thought = SILENT
    """The assistant's, where it has one."""


class Planner(Protocol):
    """Decomposes a task."""

    async def plan(self, asked: PlanRequest) -> list[str]:
        """Return the subtasks, at least one, in order."""
        ...


class SubtaskPlanner:
    """Decomposes the task by the frozen model, from similar cases (AgentFly's case-based planner).

    Args:
        llm: The frozen model.
        most: Subtasks in a plan.
    """

    def __init__(self, llm: FrozenLLM, *, most: int = 6) -> None:
        self.llm = llm
        self.most = most

    async def plan(self, asked: PlanRequest) -> list[str]:
        """Return the subtasks.

        Raises:
            LLMNonsense: The model gave no plan, also after one repair turn.
        """
        prompt = render(
            "plan",
            goal=asked.seen.goal,
            seen=asked.seen,
            worked=[case for case, _ in asked.cases if case.outcome == "success"],
            lost=[case for case, _ in asked.cases if case.outcome != "success"],
            subtasks=[case for case, _ in asked.subtasks],
            tools=list(asked.tools),
            old_plan=list(asked.old_plan),
            done=list(asked.done),
            failed=list(asked.failed),
            reason=asked.reason,
            most=self.most,
        )
        made = await chat(
            self.llm,
            [Message(role="user", content=prompt)],
            schema=Plan,
            max_tokens=300,
            thought=asked.thought,
        )
        planned = [s.strip() for s in made.subtasks if s.strip()][: self.most]
        if not planned:
            raise LLMNonsense("the model returned a plan without a subtask")
        return planned
