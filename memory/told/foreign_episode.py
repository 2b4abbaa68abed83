"""The events of an episode of somebody else's agent: how it began, what was recalled, what it did."""

from collections.abc import Sequence
from typing import get_args

from ...envs.errors import UsageError
from ...envs.tools import worded_call
from ...envs.types import Outcome
from ..ledger.events import EpisodeEnded, EpisodeStarted, Stepped
from ..ledger.feedback_event import is_right
from ..ledger.ledger import Entry
from .foreign_step import ForeignStep, call_in
from .remembered import ReadCase, whole_read
from .reminder import Reminder


def begun(name: str, run: str, told: Reminder, read: Sequence[ReadCase], llm: str) -> list[Entry]:
    """Return how an episode begins.

    Args:
        name: Of the kind of work.
        run: Id of the run that it belongs to.
        told: What was recalled for it.
        read: The cases that were found, shown or held out.
        llm: Names the model that acts.
    """
    started = EpisodeStarted(
        env=name,
        family=name,
        split="train",
        task_id=f"{name}/{told.id}",
        goal=told.situation,
        source="own",
        llm=llm,
        namespace=told.namespace,
        thread=told.thread,
    )
    begin = f"{told.id}/start"
    return [
        Entry(begin, run, told.id, started),
        Entry(f"{told.id}/recall-0", run, told.id, whole_read(read), parents=(begin,)),
    ]


def ended_with(outcome: Outcome, score: float | None) -> tuple[Outcome, float]:
    """Return an outcome and its score where one of them was said; a score by itself says the outcome.

    Raises:
        UsageError: One of them is none.
    """
    if outcome not in get_args(Outcome):
        raise UsageError(f"{outcome!r} is no outcome: {', '.join(get_args(Outcome))}")
    if score is None:
        return outcome, float(outcome == "success")
    if not 0 <= score <= 1:
        raise UsageError(f"a score of {score} is not in [0, 1]")
    if outcome == "unknown":
        outcome = "success" if is_right(score) else "failure"
    return outcome, float(score)


def ended(
    name: str,
    run: str,
    told: Reminder,
    taken: Sequence[ForeignStep],
    outcome: Outcome,
    won: float,
) -> list[Entry]:
    """Return what was done in an episode, and how it ended.

    Args:
        name: Of the kind of work.
        run: Id of the run that it belongs to.
        told: What was recalled for it.
        taken: Its steps, in order.
        outcome: As far as it is known.
        won: Its score, in [0, 1].
    """
    entries: list[Entry] = []
    seen, recent = told.situation, list[str]()
    for number, step in enumerate(taken):
        last = number == len(taken) - 1
        action, call = step.written, call_in(step) or worded_call(name, step.written)
        stepped = Stepped(
            step=number,
            goal=told.situation,
            text=step.seen or seen,
            inventory="",
            recent=tuple(recent),
            action=action,
            observation=step.error or step.answer,
            score_before=0.0,
            score_after=won if last else 0.0,
            call=call,
            error=step.error,
            request=True,
        )
        key = f"{told.id}/step-{number}"
        entries.append(Entry(key, run, told.id, stepped, took_ms=step.took_ms))
        seen, recent = step.error or step.answer, [action, *recent][:3]
    ended = EpisodeEnded(outcome=outcome, score=won, steps=len(taken))
    entries.append(Entry(f"{told.id}/end", run, told.id, ended))
    return entries
