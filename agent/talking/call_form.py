"""Calls of tools written as JSON, for models whose servers know no tools."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import AliasChoices, BaseModel, Field, RootModel

from ...envs.tools import ToolSpec
from ..llm.structured import parse_object
from ..llm.talking import ToolUse


class WrittenCall(BaseModel):
    """Any call, whatever its tool; models also name its parts as other APIs do."""

    tool: str = Field(validation_alias=AliasChoices("tool", "name", "function", "tool_name"))
    arguments: dict[str, Any] = Field(
        default={}, validation_alias=AliasChoices("arguments", "parameters", "args", "input")
    )


def form_of_calls(specs: Sequence[ToolSpec]) -> type[BaseModel]:
    """Return the form of an answer: the name of one of the tools, and arguments of one of them.

    An object at its root, as APIs ask; that name and arguments belong together is checked afterwards.
    """
    ways = [{**spec.plain, "additionalProperties": False} for spec in specs]
    schema = {
        "type": "object",
        "properties": {
            "tool": {"type": "string", "enum": [spec.name for spec in specs]},
            "arguments": ways[0] if len(ways) == 1 else {"anyOf": ways},
        },
        "required": ["tool", "arguments"],
        "additionalProperties": False,
    }

    class ToolCall(RootModel[dict[str, Any]]):
        """A call in this form; the schema is the tools' own, with all that it says."""

        @classmethod
        def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
            return schema

    return ToolCall


def use_in(said: str, step: int) -> ToolUse | None:
    """Return the call that a model wrote, None where there is none.

    >>> use_in('I add. {"tool": "add", "arguments": {"a": 1}}', 3).name
    'add'
    >>> use_in('<tool_call>{"name": "add", "arguments": {"a": 1}}</tool_call>', 3).arguments
    {'a': 1}
    """
    try:
        call = parse_object(said, WrittenCall)
    except ValueError:
        return None
    text = json.dumps(call.arguments, ensure_ascii=False)
    return ToolUse(id=f"step{step:05d}", name=call.tool, arguments=call.arguments, text=text)


def written_use(use: ToolUse) -> str:
    """Return a call in this form, on one line."""
    return json.dumps({"tool": use.name, "arguments": use.arguments}, ensure_ascii=False)


def written_spec(spec: ToolSpec) -> str:
    """Return a tool's contract on one line, whole."""
    said: Mapping[str, Any] = {
        "name": spec.name,
        "description": spec.description,
        "parameters": spec.plain,
    }
    return json.dumps(said, ensure_ascii=False)
