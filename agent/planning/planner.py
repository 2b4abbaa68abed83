"""The planners: what to do next, in one of two styles behind one protocol.

`reactive` leaves everything to the policy, which chooses the next action; `plan` decomposes the task into
subtasks with structured output, has them verified, and plans again when they fail.
"""

from collections.abc import Sequence
from typing import Literal, Protocol

from pydantic import Field

from ...envs.types import Observation, Record
from ...memory.ledger.records import EpisodeCase, SubtaskCase
from ...memory.tools.tool_memory import Suggestion
from ..llm.errors import LLMNonsense
from ..llm.protocol import FrozenLLM, Message
from ..llm.thought import SILENT, Thought, chat
from ..prompts.rendering import render

Style = Literal["reactive", "plan"]


class Plan(Record):
    """A decomposition of the task."""

    subtasks: list[str] = Field(min_length=1, description="short imperative sentences, in order")


class Planner(Protocol):
    """Decomposes a task."""

    style: Style

    async def plan(
        self,
        seen: Observation,
        cases: Sequence[tuple[EpisodeCase, float]],
        *,
        subtasks: Sequence[tuple[SubtaskCase, float]] = (),
        tools: Sequence[Suggestion] = (),
        old_plan: Sequence[str] = (),
        done: Sequence[str] = (),
        failed: Sequence[str] = (),
        reason: str = "",
        thought: Thought = SILENT,
    ) -> list[str]:
        """Return the subtasks, or an empty list when the policy is to act by itself.

        Args:
            seen: The last observation.
            cases: Whole episodes of like tasks, with their similarities.
            subtasks: Remembered subtasks like this task, or like the one that failed.
            tools: What tool memory suggests.
            old_plan: The plan so far.
            done: Its subtasks that were done.
            failed: Those that were given up, with the reasons.
            reason: Why another plan is needed.
            thought: The assistant's, where it has one.
        """
        ...


class ReactivePlanner:
    """Plans nothing: every step is one choice of the policy (what a 135M model can do)."""

    style: Style = "reactive"

    async def plan(
        self,
        seen: Observation,
        cases: Sequence[tuple[EpisodeCase, float]],
        *,
        subtasks: Sequence[tuple[SubtaskCase, float]] = (),
        tools: Sequence[Suggestion] = (),
        old_plan: Sequence[str] = (),
        done: Sequence[str] = (),
        failed: Sequence[str] = (),
        reason: str = "",
        thought: Thought = SILENT,
    ) -> list[str]:
        """Return an empty list."""
        return []


class SubtaskPlanner:
    """Decomposes the task by the frozen model, from similar cases (AgentFly's case-based planner).

    Args:
        llm: The frozen model.
        most: Subtasks in a plan.
    """

    style: Style = "plan"

    def __init__(self, llm: FrozenLLM, *, most: int = 6) -> None:
        self.llm = llm
        self.most = most

    async def plan(
        self,
        seen: Observation,
        cases: Sequence[tuple[EpisodeCase, float]],
        *,
        subtasks: Sequence[tuple[SubtaskCase, float]] = (),
        tools: Sequence[Suggestion] = (),
        old_plan: Sequence[str] = (),
        done: Sequence[str] = (),
        failed: Sequence[str] = (),
        reason: str = "",
        thought: Thought = SILENT,
    ) -> list[str]:
        """Return the subtasks.

        Raises:
            LLMNonsense: The model gave no plan, also after one repair turn.
        """
        prompt = render(
            "plan",
            goal=seen.goal,
            seen=seen,
            worked=[case for case, _ in cases if case.outcome == "success"],
            lost=[case for case, _ in cases if case.outcome != "success"],
            subtasks=[case for case, _ in subtasks],
            tools=list(tools),
            old_plan=list(old_plan),
            done=list(done),
            failed=list(failed),
            reason=reason,
            most=self.most,
        )
        made = await chat(
            self.llm,
            [Message(role="user", content=prompt)],
            schema=Plan,
            max_tokens=300,
            thought=thought,
        )
        planned = [s.strip() for s in made.subtasks if s.strip()][: self.most]
        if not planned:
            raise LLMNonsense("the model returned a plan without a subtask")
        return planned
