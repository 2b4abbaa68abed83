"""The events of a person's hand in memory: a correction, a pin, a quarantine. What was there first stays."""

from typing import Literal

from ...envs.types import Record, Text

EditedField = Literal["action", "answer", "error", "goal", "plan", "text", "result"]
"""Of a step its action, answer and error; of an episode its goal and plan (a line a subtask); of a subtask its
text and result."""


class FieldChange(Record):
    """One field as it was seen, and as it is now."""

    field: EditedField
    seen: Text
    """What stood there before."""
    text: Text


class CaseEdited(Record):
    """A person corrected a case; the case keeps its id, and is found and shown by the new text."""

    version: Literal[1] = 1
    type: Literal["case_edited"] = "case_edited"
    target: str
    """Id of the case; its episode is that of the row."""
    changes: tuple[FieldChange, ...]
    reason: Text = ""


class Pinned(Record):
    """The episode of the row is never let go by a full memory; or it may be again."""

    version: Literal[1] = 1
    type: Literal["pinned"] = "pinned"
    on: bool
    reason: Text = ""


class Quarantined(Record):
    """Nothing of the episode of the row is recalled, until a person releases it."""

    version: Literal[1] = 1
    type: Literal["quarantined"] = "quarantined"
    on: bool
    reason: Text = ""
