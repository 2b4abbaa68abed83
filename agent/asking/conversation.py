"""Conversations of users: what was said before, read from the ledger, each in its namespace alone."""

from collections.abc import Sequence
from typing import NamedTuple

from ...envs.errors import UsageError
from ...envs.text import shortened
from ...memory.kinds.case_module import ANSWER
from ...memory.ledger.content_id import content_id
from ...memory.ledger.events import EpisodeStarted, Stepped
from ...memory.ledger.ledger import Ledger

_TURNS = 20
"""Last turns of a conversation that are told."""
_LETTERS = 2_000
"""Characters of one message that are told."""


class ThreadTurn(NamedTuple):
    """One turn."""

    episode: str
    asked: str
    answered: str


def episode_in(namespace: str, thread: str, number: int) -> str:
    """Return the id of a turn of a conversation; the ids of one conversation begin alike."""
    return f"{beginning(namespace, thread)}{number:06d}"


def beginning(namespace: str, thread: str) -> str:
    """Return how the ids of a conversation's turns begin."""
    return f"ask-{content_id('thread', namespace, thread)}-"


def turns_before(ledger: Ledger, namespace: str, thread: str, number: int) -> list[ThreadTurn]:
    """Return the last turns before one of a conversation, oldest first."""
    first = max(0, number - _TURNS)
    found = (said_in(ledger, episode_in(namespace, thread, n)) for n in range(first, number))
    return [said for said in found if said is not None]


def said_in(ledger: Ledger, episode: str) -> ThreadTurn | None:
    """Return what was asked and answered in an episode; None where it is forgotten or has no answer."""
    asked = answered = ""
    for row in ledger.read(episode=episode):
        if isinstance(row.event, EpisodeStarted):
            asked = row.event.goal
        if isinstance(row.event, Stepped) and row.event.call is not None and not row.event.error:
            answered = str(row.event.call.arguments.get(ANSWER, answered))
    return ThreadTurn(episode, asked, answered) if asked and answered else None


def opening(said: list[ThreadTurn]) -> str:
    """Return a conversation so far as the model reads it; empty where nothing was said."""
    lines = []
    for turn in said:
        lines.append(f"User: {shortened(turn.asked, _LETTERS)}")
        lines.append(f"You: {shortened(turn.answered, _LETTERS)}")
    return framed(lines)


def framed(before: Sequence[str], done: Sequence[str] = ()) -> str:
    """Return what is told before a request, with words around it; empty where there is nothing.

    Args:
        before: Lines of the conversation so far.
        done: Lines of what was done for the request already.
    """
    lines = ["The conversation so far:", *before] if before else []
    if done:
        lines += ["Done already for the user's next message:", *done]
    if not lines:
        return ""
    return "\n".join([*lines, "Answer the task above, which is the user's next message."])


def checked_thread(thread: str) -> str:
    """Return a conversation's name as it is.

    Raises:
        UsageError: It is too long, or has control characters.
    """
    if len(thread) > 200 or any(ord(letter) < 32 for letter in thread):
        raise UsageError(f"{thread[:60]!r} is no name of a conversation: at most 200 characters")
    return thread
