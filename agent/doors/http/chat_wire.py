"""Requests of chat completions as OpenAI's clients send them, and what they ask of the agent."""

import json
import re
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from jsonschema import Draft202012Validator, SchemaError
from pydantic import BaseModel, Field

from ....envs.approval import Approval
from ....envs.describing import tool_name
from ....envs.errors import UsageError
from ....envs.functions import FINISH
from ....envs.tools import ToolSpec, write_call
from ...asking.around import Around, MessageSaid

_GOING = re.compile(r"call_(ask-[0-9a-f]{16}-\d{6})_(\d{1,6})")
"""Ids of calls that a request waits for."""
_FIXED: dict[str, Any] = {"n": 1, "logprobs": False, "stop": None, "functions": None, "audio": None}
"""What only these values have a meaning of, here."""


class FunctionCall(BaseModel):
    """A call as the model made it."""

    name: str = Field(min_length=1)
    arguments: str = "{}"


class ChatCall(BaseModel):
    """A call in an assistant's message."""

    id: str = ""
    type: Literal["function"] = "function"
    function: FunctionCall


class ChatPart(BaseModel):
    """A part of a message."""

    type: str
    text: str = ""


class ChatMessage(BaseModel):
    """One message."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[ChatPart] | None = None
    tool_calls: list[ChatCall] | None = None
    tool_call_id: str | None = None

    @property
    def said(self) -> str:
        """Its text.

        Raises:
            UsageError: A part of it is no text.
        """
        if self.content is None or isinstance(self.content, str):
            return self.content or ""
        for part in self.content:
            if part.type not in ("text", "input_text", "refusal"):
                raise UsageError(f"a part of the kind {part.type!r} cannot be read; only text can")
        return "\n".join(part.text for part in self.content)


class ChatFunction(BaseModel):
    """The contract of a tool that the client calls."""

    name: str = Field(min_length=1, max_length=128)
    description: str | None = None
    parameters: dict[str, Any] | None = None


class ChatTool(BaseModel):
    """A tool that the client calls."""

    type: Literal["function"] = "function"
    function: ChatFunction


class StreamOptions(BaseModel):
    """What a stream ends with."""

    include_usage: bool = False


class ChatRequest(BaseModel):
    """A request. What says how to sample (temperature and the like) is left to the agent's own settings."""

    model: str
    messages: list[ChatMessage] = Field(min_length=1)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    user: str | None = None
    """The namespace; the key's own where none is named."""
    tools: list[ChatTool] | None = None
    tool_choice: Any = None
    """`auto` or `none`."""
    response_format: dict[str, Any] | None = None
    n: int | None = None
    logprobs: bool | None = None
    stop: Any = None
    functions: Any = None
    audio: Any = None


class Going(NamedTuple):
    """The answer of a call that a request waits for."""

    episode: str
    said: Approval


class Wanted(NamedTuple):
    """What a request asks of the agent."""

    text: str
    around: Around
    going: Going | None
    """None: a request of its own, as one that has lost a tool that it used; it is told what was done."""
    names: dict[str, str]
    """Name of a tool here -> as the client calls it."""


def wanted(body: ChatRequest) -> Wanted:
    """Return what a request asks of the agent.

    Raises:
        UsageError: It asks for what cannot be done here, or nothing is asked.
    """
    _refuse(body)
    said = [m for m in body.messages if m.role not in ("system", "developer")]
    last = max((i for i, m in enumerate(said) if m.role == "user"), default=-1)
    if last < 0:
        raise UsageError("no message is a user's: there is nothing to answer")
    names, specs = _tools(body)
    around = Around(
        before=tuple(_told(said[:last])),
        after=tuple(_told(said[last + 1 :])),
        instructions="\n\n".join(m.said for m in body.messages if m not in said and m.said),
        tools=specs,
    )
    made = {c.function.name for m in said[last + 1 :] for c in m.tool_calls or ()}
    going = _going(said) if made <= set(names.values()) else None
    return Wanted(said[last].said, around, going, names)


def call_id(episode: str, number: int) -> str:
    """Return the id of a call that waits for its answer."""
    return f"call_{episode}_{number}"


def _refuse(body: ChatRequest) -> None:
    for name, only in _FIXED.items():
        if (value := getattr(body, name)) not in (None, only, []):
            raise UsageError(
                f"{name}={json.dumps(value)[:60]} is not served here", hint="Leave it out."
            )
    form = (body.response_format or {}).get("type", "text")
    if form != "text":
        raise UsageError(
            f"the response format {str(form)[:60]!r} is not served here", hint="Use text."
        )
    if body.tool_choice not in (None, "auto", "none"):
        raise UsageError(
            "the agent chooses its tools itself", hint="Give tool_choice as `auto` or `none`."
        )


def _tools(body: ChatRequest) -> tuple[dict[str, str], tuple[ToolSpec, ...] | None]:
    if not body.tools:
        return {}, None
    names: dict[str, str] = {}
    specs = []
    for tool in body.tools if body.tool_choice != "none" else ():
        given = tool.function
        plain = tool_name(given.name)
        while plain in names or plain == FINISH.name:
            plain += "_"
        if given.name in names.values():
            raise UsageError(f"two tools are called {given.name!r}")
        names[plain] = given.name
        parameters = _checked(given.name, given.parameters)
        specs.append(
            ToolSpec(name=plain, description=given.description or "", parameters=parameters)
        )
    return names, tuple(specs)


def _checked(name: str, parameters: dict[str, Any] | None) -> dict[str, Any]:
    """Return the schema of a tool's arguments, an object's.

    Raises:
        UsageError: It is none.
    """
    schema = {"type": "object", "properties": {}, **(parameters or {})}
    said = f"the parameters of the tool {name!r} are no JSON Schema of an object"
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise UsageError(f"{said}: {error.message[:200]}") from error
    properties = schema["properties"]
    if schema["type"] != "object" or not all(isinstance(p, dict) for p in properties.values()):
        raise UsageError(said)
    return schema


def _going(said: Sequence[ChatMessage]) -> Going | None:
    last = said[-1]
    found = _GOING.fullmatch(last.tool_call_id or "") if last.role == "tool" else None
    if found is None:
        return None
    return Going(found[1], Approval(approved=True, answer=last.said, number=int(found[2])))


def _told(messages: Sequence[ChatMessage]) -> list[MessageSaid]:
    found = []
    for message in messages:
        if message.role == "tool":
            found.append(MessageSaid(who="result", text=message.said))
            continue
        if message.said:
            who: Literal["user", "assistant"] = "user" if message.role == "user" else "assistant"
            found.append(MessageSaid(who=who, text=message.said))
        for call in message.tool_calls or ():
            found.append(MessageSaid(who="call", text=_written(call.function)))
    return found


def _written(call: FunctionCall) -> str:
    try:
        given = json.loads(call.arguments)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        return f"{call.name}: {call.arguments}"
    return write_call(call.name, given)
