"""Calls that a person is asked about first: an episode stops before such a call, and goes on with the answer.

The stop survives the process: what is asked lies in the ledger, and so does the answer.
"""

from typing import Any

from pydantic import Field

from .types import Record


class ApprovalRequest(Record):
    """A call that waits for a person."""

    tool: str
    arguments: dict[str, Any] = Field(default_factory=dict)
    call: str
    """The same as it is written."""
    number: int = Field(ge=0)
    """Of the call in its episode, from 0."""


class Approval(Record):
    """What a person said of one call."""

    approved: bool
    note: str = ""
    """Why; the agent sees it where the call was not approved."""


class ApprovalNeeded(Exception):
    """A call is not made before a person has said something of it."""

    def __init__(self, asked: ApprovalRequest) -> None:
        super().__init__(f"{asked.call} waits for a person's approval")
        self.asked = asked
