"""What a server answers when it does not answer, as errors with one sentence each.

It tells a conversation that is too long from one that is refused, a parameter that a model does not take from
a request that is wrong, and an outage from all of these.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ...envs.errors import LichenError
from .errors import ContextOverflow, LLMNonsense, LLMRefused, LLMUnavailable, PromptRefused

_OVERFLOW = re.compile(
    r"context[_ ](length|size|window)|maximum context|exceed\w* .{0,60}context|prompt is too long"
    r"|input is too long|too many (input )?tokens|reduce the length",
    re.IGNORECASE,
)
_FILTERED = re.compile(
    r"content[_ ](filter|polic)|content management policy|moderation|safety", re.IGNORECASE
)
OPTIONAL = (
    "max_tokens",
    "max_completion_tokens",
    "temperature",
    "seed",
    "top_p",
    "top_logprobs",
    "logprobs",
    "response_format",
    "tool_choice",
    "tools",
    "stream_options",
)
"""Parameters that a request can do without."""


class Sender(NamedTuple):
    """What the sentences name."""

    where: str
    """The server's URL."""
    model: str
    timeout: float
    """Seconds."""
    retries: int


def as_lichen(error: Exception, asked: Sender) -> LichenError:
    """Return what an error of the client means, in one sentence."""
    import httpx2
    import openai

    if isinstance(error, openai.APITimeoutError | httpx2.TimeoutException):
        return LLMUnavailable(f"the server {asked.where} did not answer within {asked.timeout:g} s")
    if isinstance(error, openai.APIStatusError):
        return of_status(error.status_code, error.body, error.message, asked)
    if isinstance(error, openai.APIConnectionError | httpx2.HTTPError):
        return LLMUnavailable(f"the server {asked.where} cannot be reached")
    if (
        type(error) is openai.APIError
    ):  # the body of an answer, or a piece of a stream, was an error
        return of_status(200, error.body, error.message, asked)
    return LLMNonsense(
        f"the server {asked.where} answered with something that is no API answer",
        hint="Check --base-url: it usually ends in /v1.",
    )


def client_errors() -> tuple[type[Exception], ...]:
    """Return what the client raises, for `except`."""
    import httpx2
    import openai

    return openai.APIError, httpx2.HTTPError, json.JSONDecodeError


def of_status(status: int, body: object, message: str, asked: Sender) -> LichenError:
    """Return what an HTTP status with its body means; status 200: the body itself is an error."""
    where, said = asked.where, _first_line(f"{_field(body, 'code')} {message}".strip())
    inner = _field(body, "code")
    if status == 200 and inner.isdigit():
        status = int(inner)
    if status in (200, 400, 413, 422, 500) and (status == 413 or _OVERFLOW.search(said)):
        return ContextOverflow(f"the conversation is too long for {asked.model}: {said}")
    if status == 451 or (status in (200, 400, 403) and _FILTERED.search(said)):
        return PromptRefused(f"the server {where} refused this conversation: {said}")
    if status in (401, 403):
        return LLMRefused(
            f"the server {where} refused the key (HTTP {status})",
            hint="Set LICHEN_API_KEY (or OPENAI_API_KEY) to a key of that server.",
            status=status,
        )
    if status == 404:
        return LLMRefused(
            f"the server {where} knows no model {asked.model!r}, or the URL is wrong (HTTP 404)",
            hint="Check --model and --base-url (it usually ends in /v1).",
            status=status,
        )
    if status == 200:
        return LLMUnavailable(f"the server {where} answered with an error: {said}")
    if status in (408, 409, 429) or status >= 500:
        return LLMUnavailable(
            f"the server {where} is overloaded or broken (HTTP {status}), also after {asked.retries} "
            f"retries: {said}"
        )
    return LLMRefused(
        f"the server {where} refused the request (HTTP {status}): {said}", status=status
    )


def refused_parameter(error: Exception, sent: Mapping[str, Any]) -> str:
    """Return the optional parameter of a request that an HTTP 400 or 422 is about, empty where it is none.

    Where the server names none, a form of the answer is the first to be suspected.
    """
    import openai

    if not isinstance(error, openai.BadRequestError | openai.UnprocessableEntityError):
        return ""
    message = error.message
    if _OVERFLOW.search(message) or _FILTERED.search(message):
        return ""
    named = _field(error.body, "param").split(".")[0]
    if named in OPTIONAL and named in sent:
        return named
    found = {
        name: match.start()
        for name in OPTIONAL
        if name in sent and (match := re.search(rf"\b{name}\b", message))
    }
    if found:
        return min(found, key=lambda name: found[name])
    return "response_format" if "response_format" in sent else ""


def _field(body: object, name: str) -> str:
    """Return a field of an error's body as text; servers put it inside `error` or not."""
    if isinstance(body, Mapping):
        inner = body.get("error")
        source = inner if isinstance(inner, Mapping) else body
        value = source.get(name)
        return "" if value is None else str(value)
    return ""


def _first_line(text: str) -> str:
    return (text.splitlines() or [""])[0][:300]
