"""Calls with effects outside are made once: noted before and after, and answered from the notes on a resume.

An environment that only plays can be replayed. A function that pays money back cannot: when an interrupted
episode goes on, what it answered is read from the journal (as durable execution does it; Temporal, LangGraph's
tasks). Where the process ended between the two notes nobody knows whether the call was done, so it is asked.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from .approval import Approval
from .errors import EnvironmentFault, LichenError, UsageError


class Noted(NamedTuple):
    """What a journal knows of a call."""

    call: str
    answer: str | None
    """None: it was begun, and did not end while somebody watched."""
    error: str = ""
    """Why it was refused."""


class Journal(Protocol):
    """Remembers the calls of one episode, by their number from 0."""

    def noted(self, number: int) -> Noted | None:
        """Return what is known of a call; None: it was never begun."""

    def begin(self, number: int, call: str) -> None:
        """Note that a call will be made now; durable when this returns."""

    def end(self, number: int, answer: str, error: str) -> None:
        """Note what came of it."""

    def approval(self, number: int) -> Approval | None:
        """Return what a person said of a call; None: nobody was asked yet."""


class UnfinishedCall(LichenError):
    """A call was begun before an interruption, and it is not known whether it was done."""

    hint = (
        "Give its tool `reconcile=`, a function of the same arguments that returns what the call answered, or "
        "None when it was not done; or `idempotent=True` where doing it twice does no harm. Then run it again."
    )


def once(
    journal: Journal | None,
    number: int,
    call: str,
    make: Callable[[], str],
    *,
    idempotent: bool = False,
    reconcile: Callable[[], str | None] | None = None,
) -> str:
    """Return what a call answers, and make it only where it was not made before.

    Args:
        journal: Of the episode; None: the call is just made.
        number: Of the call in the episode, from 0.
        call: As it is written.
        make: Makes it.
        idempotent: Whether it may be made again where its end is not known.
        reconcile: Says what an unfinished call answered; None: it was not done.

    Raises:
        UsageError: The call was refused, now or then.
        UnfinishedCall: It was begun, and nobody can say whether it was done.
        EnvironmentFault: Another call had this number.
    """
    if journal is None:
        return make()
    noted = journal.noted(number)
    if noted is not None and noted.call != call:
        raise EnvironmentFault(f"call {number} of this episode was {noted.call}, and is now {call}")
    if noted is not None and noted.answer is not None:
        if noted.error:
            raise UsageError(noted.error)
        return noted.answer
    if noted is None:
        journal.begin(number, call)
    elif not idempotent:
        if reconcile is None:
            raise UnfinishedCall(
                f"{call} was begun before an interruption, and it is not known whether it was done; "
                "it was not made again"
            )
        if (known := reconcile()) is not None:
            journal.end(number, known, "")
            return known
    try:
        answer = make()
    except UsageError as error:
        journal.end(number, "", str(error))
        raise
    journal.end(number, answer, "")
    return answer
