"""Calls of tools written as JSON, for models whose servers know no tools."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Union, cast

from pydantic import BaseModel, ConfigDict, RootModel, create_model

from ...envs.tools import ToolSpec
from ..llm.structured import parse_object
from ..llm.talking import ToolUse

_KINDS: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "array": list[Any],
    "object": dict[str, Any],
}


class WrittenCall(BaseModel):
    """Any call, whatever its tool."""

    tool: str
    arguments: dict[str, Any] = {}


def form_of_calls(specs: Sequence[ToolSpec]) -> type[BaseModel]:
    """Return the form of an answer: one of the tools, by name, with the arguments of that one."""
    forms = tuple(_call_form(spec) for spec in specs)
    union: Any = RootModel.__class_getitem__(cast(Any, Union)[forms])
    union.__name__ = "ToolCall"
    return cast(type[BaseModel], union)


def use_in(said: str, step: int) -> ToolUse | None:
    """Return the call that a model wrote, None where there is none.

    >>> use_in('I add. {"tool": "add", "arguments": {"a": 1}}', 3).name
    'add'
    """
    try:
        call = parse_object(said, WrittenCall)
    except ValueError:
        return None
    given = {name: value for name, value in call.arguments.items() if value is not None}
    text = json.dumps(given, ensure_ascii=False)
    return ToolUse(id=f"step{step:05d}", name=call.tool, arguments=given, text=text)


def written_use(use: ToolUse) -> str:
    """Return a call in this form, on one line."""
    return json.dumps({"tool": use.name, "arguments": use.arguments}, ensure_ascii=False)


def written_spec(spec: ToolSpec) -> str:
    """Return a tool's contract on one line, whole."""
    said: Mapping[str, Any] = {
        "name": spec.name,
        "description": spec.description,
        "parameters": spec.parameters,
    }
    return json.dumps(said, ensure_ascii=False)


def _call_form(spec: ToolSpec) -> type[BaseModel]:
    strict = ConfigDict(extra="forbid")
    fields: dict[str, Any] = {}
    for name, schema in spec.properties.items():
        kind = _KINDS.get(str(schema.get("type")), Any)
        if "enum" in schema and all(isinstance(value, str) for value in schema["enum"]):
            kind = cast(Any, Literal)[tuple(schema["enum"])]
        fields[name] = (kind, ...) if name in spec.required else (kind, None)
    arguments = create_model(f"{spec.name}_arguments", __config__=strict, **fields)
    tool = (cast(Any, Literal)[spec.name], ...)
    return create_model(spec.name, __config__=strict, tool=tool, arguments=(arguments, ...))
