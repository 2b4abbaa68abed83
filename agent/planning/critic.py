"""The critic: the frozen model's opinion of a subtask, or of a task that no environment verifies.

The environment's own verdict comes first. A judge that does not answer makes nothing a failure.
"""

from typing import Literal

from pydantic import Field

from ...envs.types import Observation, Record
from ..llm.errors import LLMNonsense
from ..llm.protocol import FrozenLLM, Message
from ..prompts.rendering import render


class SubtaskVerdict(Record):
    """The model's opinion of a subtask."""

    status: Literal["done", "going", "stuck"] = Field(
        description="done: the subtask is achieved; going: go on; stuck: the plan must change"
    )
    critique: str = Field(description="one short sentence that says why")


class TaskVerdict(Record):
    """The model's opinion of a whole task."""

    solved: bool = Field(description="whether the task is solved")
    critique: str = Field(description="one short sentence that says why")


class Critic:
    """Judges subtasks, and tasks that no environment verifies, by the frozen model.

    Args:
        llm: The frozen model.
    """

    def __init__(self, llm: FrozenLLM) -> None:
        self.llm = llm

    async def judge(
        self, goal: str, subtask: str, history: list[tuple[str, str]], seen: Observation
    ) -> SubtaskVerdict:
        """Return whether the subtask is done; a judge without an answer lets the policy go on."""
        prompt = render("judge", goal=goal, subtask=subtask, history=history, seen=seen)
        try:
            return await self.llm.chat(
                [Message(role="user", content=prompt)], schema=SubtaskVerdict, max_tokens=120
            )
        except LLMNonsense as error:
            return SubtaskVerdict(status="going", critique=f"the judge gave no verdict: {error}")

    async def solved(
        self, goal: str, history: list[tuple[str, str]], seen: Observation
    ) -> bool | None:
        """Return whether the whole task is solved, None when the judge gives no verdict."""
        prompt = render("verdict", goal=goal, history=history, seen=seen)
        try:
            verdict = await self.llm.chat(
                [Message(role="user", content=prompt)], schema=TaskVerdict, max_tokens=120
            )
        except LLMNonsense:
            return None
        return verdict.solved
