"""What memory says of one moment of an episode: the calls that helped in like ones, in its own terms."""

from collections.abc import Sequence

from ...envs.text import shortened
from ..credit.exposure import Exposer
from ..ledger.records import State
from ..recall.case_memory import CaseMemory
from ..tools.lifted import lifted_calls
from .foreign_step import ForeignStep
from .memory_block import LONGEST, quotable
from .reminder import Reminder

_CALLS = 2
"""Tools that were called in like moments."""
_ENDINGS = 2
"""Solved cases whose last words are told."""


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
    answers = [step.error or step.answer for step in steps]
    state = State(
        goal=told.situation,
        text=answers[-1] if answers else opening or told.situation,
        recent=tuple(step.written for step in reversed(steps[-3:])),
        request=True,
    )
    hits = exposer.expose(view.read(state, env=env, family=env))
    calls = lifted_calls(hits.hits, told.situation, "\n".join([opening, *answers]))
    moments = sum(call.moments for call in calls)
    notes = [
        f"In {call.moments} of {moments} like moments that went well, the call was: {call.text}"
        for call in calls[:_CALLS]
    ]
    return [
        line
        for note in [*_endings(view, told), *notes]
        for line in quotable(shortened(note, LONGEST))
    ]


def _endings(view: CaseMemory, told: Reminder) -> list[str]:
    """Return what came back at the end of the solved cases that are shown, where it says something."""
    found: dict[str, None] = {}
    for item in told.shown:
        case = view.store.episodes.get(item.case)
        steps = view.steps_of(case) if case is not None and case.outcome == "success" else ()
        if steps and steps[-1].answer:
            found[f"Said at the end of a solved case: {steps[-1].answer}"] = None
    return list(found)[:_ENDINGS]
