"""Conversations as chat completions have them, and answers out of what servers really send.

Content that is null, a list of parts, or begins with a thought; reasoning under two names; names of tools
that the API does not take. Knows no network.
"""

import json
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from pydantic import BaseModel

from ...envs.text import whole, whole_values
from ...envs.tools import ToolSpec
from .errors import LLMNonsense, PromptRefused
from .talking import Reply, ToolUse, Turn
from .thought_marks import split_thought

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]")


def short_name(name: str) -> str:
    """Return a name as the API takes it: 1 to 64 of letters, digits, `_` and `-`.

    A name that had to be changed ends with a part of its hash, so that two names stay two.

    >>> short_name("find_order"), short_name("Union[add]")
    ('find_order', 'Union_add__bef7bc')
    """
    if _NAME.fullmatch(name):
        return name
    return f"{_NOT_IN_NAMES.sub('_', name)[:57]}_{sha256(name.encode()).hexdigest()[:6]}"


def messages_of(turns: Sequence[Turn]) -> list[dict[str, Any]]:
    """Return a conversation as messages."""
    found: list[dict[str, Any]] = []
    for turn in turns:
        message: dict[str, Any] = {"role": turn.role, "content": whole(turn.content)}
        if turn.role == "tool":
            message["tool_call_id"] = turn.answers
        if turn.uses:
            message["content"] = whole(turn.content) or None
            message["tool_calls"] = [
                {
                    "id": use.id,
                    "type": "function",
                    "function": {
                        "name": short_name(use.name),
                        "arguments": json.dumps(use.arguments, ensure_ascii=False)
                        if use.arguments is not None
                        else "{}",  # templates parse it, and fail at what a model wrote wrong
                    },
                }
                for use in turn.uses
            ]
        found.append(message)
    return found


def tools_of(specs: Sequence[ToolSpec]) -> list[dict[str, Any]]:
    """Return contracts of tools as the API takes them."""
    return [
        {
            "type": "function",
            "function": {
                "name": short_name(spec.name),
                "description": spec.description,
                "parameters": spec.plain,
            },
        }
        for spec in specs
    ]


def form_of(form: type[BaseModel]) -> dict[str, Any]:
    """Return a schema as `response_format`; strict where the schema is as strict as the API asks."""
    schema = form.model_json_schema()
    return {
        "type": "json_schema",
        "json_schema": {
            "name": short_name(form.__name__),
            "schema": schema,
            **({"strict": True} if _strict(schema) else {}),
        },
    }


def _strict(schema: Any) -> bool:
    """Return whether every object in a schema says all its fields, and all of them have to be given."""
    if isinstance(schema, Mapping):
        if schema.get("type") == "object" and (
            schema.get("additionalProperties") is not False
            or set(schema.get("properties", ())) != set(schema.get("required", ()))
        ):
            return False
        return all(map(_strict, schema.values()))
    return not isinstance(schema, list) or all(map(_strict, schema))


def reply_of(choice: Any, specs: Sequence[ToolSpec] = ()) -> Reply:
    """Return what a choice of an answer says.

    Args:
        choice: Of the client's answer.
        specs: The tools that were offered; their own names are given back.

    Raises:
        LLMNonsense: There is no message in it.
        PromptRefused: The model, or a filter, refused to answer.
    """
    message = getattr(choice, "message", None)
    if message is None:
        raise LLMNonsense("the server answered with a choice without a message")
    finish = str(getattr(choice, "finish_reason", None) or "stop")
    text = text_of(getattr(message, "content", None))
    reasoning = text_of(
        getattr(message, "reasoning_content", None) or getattr(message, "reasoning", None)
    )
    calls = getattr(message, "tool_calls", None) or ()
    refusal = getattr(message, "refusal", None)
    if not text and not calls and (refusal or finish == "content_filter"):
        raise PromptRefused(f"the model refused to answer: {refusal or 'content filter'}")
    thought, text = split_thought(text)
    names = {short_name(spec.name): spec.name for spec in specs}
    return Reply(
        text=text,
        reasoning="\n".join(part for part in (reasoning, thought) if part),
        uses=tuple(_use(call, number, names) for number, call in enumerate(calls)),
        finish=finish,
        top=_top(getattr(choice, "logprobs", None)),
    )


def text_of(content: Any) -> str:
    """Return content as text: None is empty, and of a list of parts the texts count, not the thoughts."""
    if isinstance(content, str):
        return whole(content)  # a torn escape of JSON is half a character
    if isinstance(content, Sequence):
        return "".join(map(_text_of_part, content))
    return ""


def _text_of_part(part: Any) -> str:
    if isinstance(part, str):
        return part
    said = part if isinstance(part, Mapping) else vars(part)
    text = said.get("text")
    thought = str(said.get("type", "")).startswith(("think", "reason"))
    return text if isinstance(text, str) and not thought else ""


def _use(call: Any, number: int, names: Mapping[str, str]) -> ToolUse:
    function = getattr(call, "function", None)
    name = str(getattr(function, "name", None) or "")
    written = getattr(function, "arguments", None)
    if isinstance(written, Mapping):  # some servers send the object itself
        arguments: Any = dict(written)
        written = json.dumps(arguments)
    else:
        try:
            arguments = whole_values(json.loads(written or "{}"))
            if isinstance(arguments, str):  # written as JSON twice
                arguments = json.loads(arguments)
        except ValueError:
            arguments = None
    return ToolUse(
        id=str(getattr(call, "id", None) or f"call{number:05d}"),
        name=names.get(name, name),
        arguments=arguments if isinstance(arguments, dict) else None,
        text=str(written or ""),
    )


def _top(logprobs: Any) -> tuple[dict[str, float], ...]:
    found = []
    for token in getattr(logprobs, "content", None) or ():
        likely = {token.token: float(token.logprob)}
        for other in token.top_logprobs or ():
            likely.setdefault(other.token, float(other.logprob))
        found.append(likely)
    return tuple(found)
