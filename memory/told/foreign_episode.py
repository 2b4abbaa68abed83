"""The events of an episode of somebody else's agent: how it began, what was recalled, what it did."""

from collections.abc import Sequence

from ...envs.tools import worded_call
from ...envs.types import Outcome
from ..ledger.events import EpisodeEnded, EpisodeStarted, Recalled, RecalledItem, Stepped
from ..ledger.ledger import Entry
from .foreign_step import ForeignStep, call_in
from .reminder import Reminder


def begun(name: str, run: str, told: Reminder, llm: str) -> list[Entry]:
    """Return how an episode begins.

    Args:
        name: Of the kind of work.
        run: Id of the run that it belongs to.
        told: What was recalled for it.
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
    read = Recalled(
        step=0,
        considered=len(told.items),
        items=tuple(
            RecalledItem(
                case=item.case,
                exposed=item.shown,
                similarity=round(item.similarity, 6) if item.shown else None,
                propensity=round(item.propensity, 6),
            )
            for item in sorted(told.items, key=lambda item: not item.shown)
        ),
        abstained=not any(item.shown for item in told.items),
        grain="episodes",
    )
    begin = f"{told.id}/start"
    return [
        Entry(begin, run, told.id, started),
        Entry(f"{told.id}/recall-0", run, told.id, read, parents=(begin,)),
    ]


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
