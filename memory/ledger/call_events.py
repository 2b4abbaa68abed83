"""The events of calls of user's functions: before each, and after it (see `envs.journal`)."""

from typing import Literal

from pydantic import Field

from ...envs.types import Record


class CallBegun(Record):
    """A call of a user's function is about to be made; written before it is."""

    version: Literal[1] = 1
    type: Literal["call_begun"] = "call_begun"
    number: int = Field(ge=0)
    """Of the call in its episode, from 0."""
    call: str


class ApprovalAsked(Record):
    """A call waits for a person; written when the request stops for it."""

    version: Literal[1] = 1
    type: Literal["approval_asked"] = "approval_asked"
    number: int = Field(ge=0)
    """Of the call in its episode, from 0."""
    call: str


class ApprovalGiven(Record):
    """What a person said of a call that waited for it, or what it answered where whoever asked made it."""

    version: Literal[1] = 1
    type: Literal["approval_given"] = "approval_given"
    number: int = Field(ge=0)
    """Of the call in its episode, from 0."""
    call: str
    approved: bool
    note: str = ""
    answer: str | None = None
    """None: the call is made here."""


class CallEnded(Record):
    """What that call came to."""

    version: Literal[1] = 1
    type: Literal["call_ended"] = "call_ended"
    number: int = Field(ge=0)
    answer: str
    error: str = ""
    """Why it was refused."""
