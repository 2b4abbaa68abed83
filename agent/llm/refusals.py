"""What a request of chat completions can do without, and how it is sent to a server that does not take it.

Parameters are left out or renamed. A conversation is put more simply: without a system message, without
messages that hold nothing, without two in a row of one side, where the template of a model knows none.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from .server_errors import FILTERED, OVERFLOW, field_of, words_of

OPTIONAL = (
    "max_tokens",
    "max_completion_tokens",
    "temperature",
    "seed",
    "top_p",
    "stop",
    "top_logprobs",
    "logprobs",
    "response_format",
    "tool_choice",
    "tools",
    "stream_options",
    "stream",
)
"""Parameters that a request can do without."""
_TOGETHER = {
    "tools": ("tool_choice",),
    "top_logprobs": ("logprobs",),
    "logprobs": ("top_logprobs",),
    "stream": ("stream_options",),
}
"""What is no use without the first."""
Message = dict[str, Any]


def refused_part(error: Exception, sent: Mapping[str, Any]) -> str:
    """Return what a refusal is about that the request can do without; empty where it is nothing.

    Where a server refuses (400, 422) and names nothing, a form of the answer is the first to be suspected. Some
    break (5xx) at what they do not take: then only what they name counts.

    Returns:
        An optional parameter, or a form of conversation (see `fitted`).
    """
    import openai

    if not isinstance(error, openai.APIStatusError):
        return ""
    refused = error.status_code in (400, 422)
    if not refused and error.status_code < 500:
        return ""
    said = words_of(error.body) or error.message
    if OVERFLOW.search(said) or FILTERED.search(said):
        return ""
    named = field_of(error.body, "param").split(".")[0]
    if named in OPTIONAL and named in sent:
        return named
    found = {name: at for name in OPTIONAL if name in sent and (at := _place(name, said)) >= 0}
    if found:
        return min(found, key=lambda name: found[name])
    for name, form in _FORMS.items():
        if form.refusal.search(said) and form.simpler(sent["messages"]) != sent["messages"]:
            return name
    return "response_format" if refused and "response_format" in sent else ""


def _place(name: str, said: str) -> int:
    """Return where a sentence names a parameter; -1: nowhere. The two names of one limit count as one."""
    names = "max_tokens|max_completion_tokens" if name == "max_completion_tokens" else name
    match = re.search(rf"\b({names})\b", said)
    return match.start() if match else -1


def fitted(body: Mapping[str, Any], refused: Sequence[str]) -> dict[str, Any]:
    """Return a request without what its model does not take.

    >>> fitted({"max_tokens": 5, "seed": 0}, ("max_tokens", "seed"))
    {'max_completion_tokens': 5}
    """
    sent = dict(body)
    if "max_tokens" in refused and "max_tokens" in sent:
        sent["max_completion_tokens"] = sent["max_tokens"]
    for name in refused:
        for gone in (name, *_TOGETHER.get(name, ())):
            sent.pop(gone, None)
    for name, form in _FORMS.items():
        if name in refused:
            sent["messages"] = form.simpler(sent["messages"])
    return sent


def _without_system(messages: Sequence[Message]) -> list[Message]:
    """Return them with what the system says at the beginning of what the user says first."""
    system = "\n\n".join(m["content"] for m in messages if m["role"] == "system")
    rest = [m for m in messages if m["role"] != "system"]
    if not system:
        return rest
    if not rest or rest[0]["role"] != "user":
        return [{"role": "user", "content": system}, *rest]
    return [{**rest[0], "content": f"{system}\n\n{rest[0]['content']}"}, *rest[1:]]


def _without_null(messages: Sequence[Message]) -> list[Message]:
    """Return them with an empty text where there was none."""
    return [{**m, "content": ""} if m["content"] is None else m for m in messages]


def _taking_turns(messages: Sequence[Message]) -> list[Message]:
    """Return them with one message where one side had several in a row."""
    found: list[Message] = []
    for message in messages:
        role = message["role"]
        plain = role == "user" or (role == "assistant" and "tool_calls" not in message)
        if found and plain and found[-1]["role"] == role and "tool_calls" not in found[-1]:
            before = found.pop()
            message = {**message, "content": f"{before['content']}\n\n{message['content']}"}
        found.append(message)
    return found


class _SimplerForm(NamedTuple):
    refusal: re.Pattern[str]
    """What servers say that do not take it."""
    simpler: Callable[[Sequence[Message]], list[Message]]


_FORMS = {
    "system messages": _SimplerForm(
        re.compile(
            r"system\W{0,3}(role|message|prompt|instruction)|role\W{0,12}system|developer instruction"
            r"|roles? .{0,40}(user|assistant).{0,40}\b(only|allowed|supported)",
            re.IGNORECASE,
        ),
        _without_system,
    ),
    "two messages in a row": _SimplerForm(re.compile(r"alternat", re.IGNORECASE), _taking_turns),
    "messages without text": _SimplerForm(
        re.compile(r"content\b.*(string|null|none|required|missing|empty)", re.IGNORECASE),
        _without_null,
    ),
}
"""Forms of conversation that some templates do not know, in the order in which they are done without."""
