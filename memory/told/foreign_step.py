"""A step that another agent took, as it can tell it."""

import json
from collections.abc import Sequence
from typing import Any

from pydantic import Field, ValidationError, field_validator, model_validator

from ...envs.errors import UsageError
from ...envs.results import value_text
from ...envs.text import whole_values
from ...envs.tools import Call, ToolSpec, call_of, write_call
from ...envs.types import Record, Text


class ForeignStep(Record):
    """One thing that was done: a tool called, or words said."""

    tool: Text = ""
    """Name of the tool that was called; empty where none was."""
    arguments: dict[str, Any] = Field(default_factory=dict)
    """What JSON has no form of is kept as text."""
    action: Text = ""
    """What was done or said, in words; not needed with a tool."""
    answer: Text = ""
    """What came back; what is no text is kept as JSON."""
    error: Text = ""
    """Why it was refused or failed."""
    seen: Text = ""
    """What was seen before; the answer before it when empty."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """JSON Schema of the tool's arguments, its contract; what used another is known by it."""
    took_ms: float | None = None

    @field_validator("answer", "error", mode="before")
    @classmethod
    def _in_words(cls, said: Any) -> str:
        return "" if said is None else value_text(said)

    @field_validator("arguments", "parameters", mode="after")
    @classmethod
    def _plain(cls, given: dict[str, Any]) -> dict[str, Any]:
        plain: dict[str, Any] = whole_values(json.loads(json.dumps(given, default=value_text)))
        return plain

    @model_validator(mode="after")
    def _does_something(self) -> "ForeignStep":
        if not (self.tool or self.action.strip()):
            raise ValueError("a step has a tool or an action")
        return self

    @property
    def written(self) -> str:
        """The step as an action."""
        return self.action or write_call(self.tool, self.arguments)


def read_steps(given: Sequence[ForeignStep | dict[str, Any]]) -> list[ForeignStep]:
    """Return steps as they are told.

    Raises:
        UsageError: There are none, or one of them is no step.
    """
    if isinstance(given, dict | str) or not given:
        raise UsageError(
            "nothing was done: an episode to remember has at least one step, in a list"
        )
    steps = []
    for number, one in enumerate(given):
        try:
            steps.append(ForeignStep.model_validate(one))
        except (ValidationError, ValueError, TypeError) as error:
            first = error.errors()[0] if isinstance(error, ValidationError) else {"msg": str(error)}
            where = ".".join(map(str, first.get("loc", ())))
            said = str(first["msg"]).removeprefix("Value error, ")
            raise UsageError(
                f"step {number} cannot be read: {where + ': ' if where else ''}{said}",
                hint=f"A step has {', '.join(ForeignStep.model_fields)}.",
            ) from error
    return steps


def call_in(step: ForeignStep) -> Call | None:
    """Return the call of a tool that a step is, None where it is words."""
    if not step.tool:
        return None
    parameters = step.parameters or {
        "type": "object",
        "properties": {name: {} for name in step.arguments},
    }
    return call_of(ToolSpec(name=step.tool, parameters=parameters), step.arguments)
