"""What memory says of one moment of an episode, in short sentences, told when the time has come."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from ...envs.tools import ToolSpec
from ..credit.exposure import Exposer
from ..ledger.records import Hit, State
from ..recall.case_memory import CaseMemory
from ..tools.bound_calls import CallMoment, told_in
from ..tools.bound_read import bound_read
from ..tools.lifted import lifted_calls
from .foreign_step import ForeignStep, call_in
from .memory_block import short_lines
from .remembered import WholeCase
from .reminder import Reminder

_CALLS = 2
"""Tools that were called in like moments."""
_ENDINGS = 2
"""Solved cases whose last words are told."""


def call_notes(hits: Sequence[Hit], goal: str, told: str) -> list[str]:
    """Return the calls that helped in like moments, in the terms of this task; see `lifted_calls`.

    Args:
        hits: Best first.
        goal: Of the task that is done now.
        told: What was answered in it so far.
    """
    calls = lifted_calls(hits, goal, told)
    moments = sum(call.moments for call in calls)
    return [
        f"In {call.moments} of {moments} like moments that went well, the next call was: {call.text}"
        for call in calls[:_CALLS]
    ]


def repeated_notes(steps: Sequence[ForeignStep]) -> list[str]:
    """Return what was done more than once with the same answer: small models go round in circles.

    Args:
        steps: Taken so far.
    """
    done = Counter((step.written, step.error or step.answer) for step in steps)
    return [
        f"Done {count} times already, with the same answer: {written}. Do something else next."
        for (written, _), count in done.items()
        if count > 1
    ]


def ending_notes(cases: Iterable[WholeCase]) -> list[str]:
    """Return what was said at the end of solved cases.

    The cases say it too; but a small model does by it only where it is said again when the time has come.
    Measured on 4 tickets of `support` with a 1.5B model: 10 of 14 calls right with it, 8 without.
    """
    said = dict.fromkeys(
        whole.steps[-1].answer
        for whole in cases
        if whole.case.outcome == "success" and whole.steps[-1].answer
    )
    return [f"Said at the end of a solved case: {end}" for end in list(said)[:_ENDINGS]]


def moment_notes(
    view: CaseMemory,
    exposer: Exposer,
    env: str,
    told: Reminder,
    steps: Sequence[ForeignStep],
    opening: str,
) -> list[str]:
    """Return lines that can stand in a quotation; see `Memory.notes`.

    Args:
        view: What may be recalled.
        exposer: Says what is shown to this episode.
        env: Under which the cases are remembered.
        told: What was recalled for the situation.
        steps: Taken so far.
        opening: What was seen before the first.
    """
    accepted, refused = list(steps), set()
    while accepted and accepted[-1].error:  # it changed nothing: what helped before it helps still
        refused.add(accepted.pop().written)
    answers = [step.error or step.answer for step in accepted]
    state = State(
        goal=told.situation,
        text=answers[-1] if answers else opening or told.situation,
        recent=tuple(step.written for step in reversed(accepted[-3:])),
        request=True,
    )
    found = exposer.expose(view.read(state, env=env, family=env))
    calls = (call_in(step) for step in accepted if not step.error)
    made = tuple(call for call in calls if call is not None)
    now = CallMoment(told.situation, told_in([opening, *answers]), made)
    bound, _ = bound_read(view, found, now, _called(found.hits), state, refused)
    said = call_notes(bound.hits, now.goal, now.told)
    return short_lines([*told.endings, *repeated_notes(steps), *said])


def _called(hits: Sequence[Hit]) -> list[ToolSpec]:
    """Return the tools of remembered calls, by what they were called with."""
    given: dict[str, dict[str, Any]] = {}
    for hit in hits:
        if hit.case.call is not None:
            given.setdefault(hit.case.call.tool, {}).update(
                dict.fromkeys(hit.case.call.arguments, {})
            )
    return [
        ToolSpec(name=name, parameters={"type": "object", "properties": arguments})
        for name, arguments in given.items()
    ]
