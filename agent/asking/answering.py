"""What an episode's end says to the one who asked."""

from ...envs.errors import LichenError, UsageError
from ...memory.ledger.events import EpisodeStarted
from ..episode.run_episode import EpisodeResult
from ..llm.errors import BudgetSpent
from .answer import Answer, AnswerCost
from .telling import Telling, answer_in, partial


class Unanswered(LichenError):
    """A request came to no answer: the model or something outside did not answer. It is no failed task."""

    hint = "Ask again; what was done is remembered as unknown, and teaches nothing."


class HasEnded(UsageError):
    """A request that is to go on has ended."""


def answered(
    result: EpisodeResult,
    started: EpisodeStarted,
    telling: Telling,
    cost: AnswerCost,
    spent: AnswerCost,
) -> Answer:
    """Return the answer that an episode came to: whole, an honest part, or what it waits for.

    Args:
        result: Of the episode.
        started: How it began.
        telling: What was told meanwhile.
        cost: Of the whole request.
        spent: Since it went on last.

    Raises:
        Unanswered: The model or something outside did not answer.
    """
    stopped = ""
    text = answer_in(result.actions)
    if result.waiting is not None:
        first = f"A person has to approve this first: {result.waiting.call}"
        text = "" if result.waiting.outside else first
    elif text is None:
        over = result.reason.startswith(f"{BudgetSpent.__name__}: ")
        if result.reason and not over:
            raise Unanswered(f"{result.episode}: {result.reason}")
        stopped = result.reason.partition(": ")[2] or (
            f"{len(result.actions)} steps were taken, which is all that may be"
        )
        text = partial(stopped, telling.calls)
    return Answer(
        id=result.episode,
        text=text,
        outcome=result.outcome,
        thread=started.thread,
        namespace=started.namespace,
        calls=tuple(telling.calls),
        waiting=result.waiting,
        stopped=stopped,
        cost=cost,
        spent=spent,
    )
