"""A step that another agent took, as it can tell it."""

from typing import Any

from pydantic import Field, model_validator

from ...envs.tools import Call, ToolSpec, call_of, write_call
from ...envs.types import Record


class ForeignStep(Record):
    """One thing that was done: a tool called, or words said."""

    tool: str = ""
    """Name of the tool that was called; empty where none was."""
    arguments: dict[str, Any] = Field(default_factory=dict)
    action: str = ""
    """What was done or said, in words; not needed with a tool."""
    answer: str = ""
    """What came back."""
    error: str = ""
    """Why it was refused or failed."""
    seen: str = ""
    """What was seen before; the answer before it when empty."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """JSON Schema of the tool's arguments, its contract; what used another is known by it."""
    took_ms: float | None = None

    @model_validator(mode="after")
    def _does_something(self) -> "ForeignStep":
        if not (self.tool or self.action.strip()):
            raise ValueError("a step has a tool or an action")
        return self

    @property
    def written(self) -> str:
        """The step as an action."""
        return self.action or write_call(self.tool, self.arguments)


def call_in(step: ForeignStep) -> Call | None:
    """Return the call of a tool that a step is, None where it is words."""
    if not step.tool:
        return None
    parameters = step.parameters or {
        "type": "object",
        "properties": {name: {} for name in step.arguments},
    }
    return call_of(ToolSpec(name=step.tool, parameters=parameters), step.arguments)
