"""What memory says of one step of a conversation, in short lines that can be quoted."""

from collections.abc import Mapping

from ...memory.ledger.records import Hit, StepCase
from ...memory.told.memory_block import short_lines
from ...memory.told.moment import call_notes, ending_notes
from ..acting.situation import Situation

_NOTES = 3
"""Notes of each kind at a step."""


def step_notes(at: Situation) -> list[str]:
    """Return what memory says of this step in short lines that can be quoted."""
    warned = at.warned if isinstance(at.warned, Mapping) else {}
    open_to = set(at.actions)
    notes = [f"Known to fail: {action}: {why}" for action, why in warned.items()][:_NOTES]
    if at.seen.admissible is None:
        spoken = any(spec.said for spec in at.specs)  # then nothing is said after the answer
        notes += [] if spoken else ending_notes(at.remembered.cases)
        notes += call_notes(_told_apart(at), at.seen.goal, at.told)
    else:
        alike = dict.fromkeys(
            f"In a like moment: {hit.action}: {_came(hit.case)}"
            for hit in at.hits.hits
            if hit.action in open_to
        )
        notes += list(alike)[:_NOTES]
    return short_lines(notes)


def _told_apart(at: Situation) -> list[Hit]:
    """Return what was found, without the answers to users: those are a model's own."""
    spoken = {spec.name for spec in at.specs if spec.said}
    return [hit for hit in at.hits.hits if hit.case.call and hit.case.call.tool not in spoken]


def _came(case: StepCase) -> str:
    if case.error:
        return f"it was refused: {case.error}"
    return "it helped" if case.gain > 0 else "it did not help"
