"""Calls that an episode stops before: a person is asked first, or whoever asked makes the call, and it goes on.

The stop survives the process: what is asked lies in the ledger, and so does the answer.
"""

from typing import Any

from pydantic import Field

from .types import Record, Text


class ApprovalRequest(Record):
    """A call that waits for a person."""

    tool: str
    arguments: dict[str, Any] = Field(default_factory=dict)
    call: str
    """The same as it is written."""
    number: int = Field(ge=0)
    """Of the call in its episode, from 0."""
    outside: bool = False
    """Whether it waits for its answer: whoever asked makes the call."""


class Approval(Record):
    """What was said of one call: by a person, or by whoever made it."""

    approved: bool
    note: str = ""
    """Why; the agent sees it where the call was not approved."""
    answer: Text | None = None
    """What the call answered, where whoever asked made it."""
    number: int | None = None
    """Of the call in its episode; None: the one that waits."""


class ApprovalNeeded(Exception):
    """A call is not made, or has no answer, before somebody has said something of it."""

    def __init__(self, asked: ApprovalRequest) -> None:
        super().__init__(f"{asked.call} waits for a person's approval")
        self.asked = asked
