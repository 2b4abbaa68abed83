"""An answer, and what is told while it is made."""

from typing import Any, Literal

from pydantic import Field

from ...envs.approval import ApprovalRequest
from ...envs.types import Outcome, Record


class AnswerCost(Record):
    """What an answer cost."""

    tokens_in: int = 0
    cached: int = 0
    """Of `tokens_in`, those that a server read from its cache."""
    tokens_out: int = 0
    dollars: float = 0.0
    """0 where the model has no price (`prices` in the settings)."""
    seconds: float = 0.0
    steps: int = 0


class Answer(Record):
    """What came of one request."""

    id: str
    """Takes `feedback`, today or next week, from any process; empty where nothing was asked of the model."""
    text: str
    outcome: Outcome = "unknown"
    """Unknown until somebody, or a judge, says more."""
    thread: str = ""
    namespace: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    """(call, what came back) of the tools that were called, in order."""
    waiting: ApprovalRequest | None = None
    """A call that waits for a person: `approve` goes on."""
    stopped: str = ""
    """Why it is no whole answer (a budget is used up, the model went in circles); empty where it is one."""
    cost: AnswerCost = Field(default_factory=AnswerCost)
    """Of the whole request, all the times that it went on."""
    spent: AnswerCost = Field(default_factory=AnswerCost)
    """Of this time alone: since it was asked, approved or resumed last."""


class CasesRecalled(Record):
    """Memory was asked."""

    type: Literal["recalled"] = "recalled"
    cases: tuple[tuple[str, str, float], ...]
    """(id, what was asked then, likeness) of the cases that are shown, nearest first."""
    answer: str = ""
    """Id of the answer that is being made."""


class ThoughtTold(Record):
    """The assistant thought (SoftCoT)."""

    type: Literal["thought"] = "thought"
    text: str


class TextDelta(Record):
    """A piece of what the model writes."""

    type: Literal["text_delta"] = "text_delta"
    text: str


class ToolCalled(Record):
    """A tool is about to be called."""

    type: Literal["tool_call"] = "tool_call"
    tool: str
    arguments: dict[str, Any]
    call: str
    """The same as it is written."""


class ToolAnswered(Record):
    """What came back."""

    type: Literal["tool_result"] = "tool_result"
    call: str
    text: str
    failed: bool
    """Whether it was refused or raised."""


class AnswerGiven(Record):
    """The end: the whole answer."""

    type: Literal["answer"] = "answer"
    answer: Answer


AskEvent = CasesRecalled | ThoughtTold | TextDelta | ToolCalled | ToolAnswered | AnswerGiven
