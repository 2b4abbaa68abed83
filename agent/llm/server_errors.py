"""What a server answers when it does not answer, as errors with one sentence each.

It tells a conversation that is too long from one that is refused, and an outage from both. The sentences have
the server's own words. What a request can do without is known in `refusals`.
"""

import json
import re
from collections.abc import Mapping
from typing import NamedTuple

from ...envs.errors import LichenError
from .errors import (
    ContextOverflow,
    LLMNonsense,
    LLMRefused,
    LLMUnavailable,
    PromptRefused,
    RequestRefused,
)

OVERFLOW = re.compile(
    r"context[_ ](length|size|window)|maximum context|exceed\w* .{0,60}context|prompt is too long"
    r"|input is too long|too many (input )?tokens|reduce the length",
    re.IGNORECASE,
)
FILTERED = re.compile(
    r"content[_ ](filter|polic)|content management policy|moderation|safety", re.IGNORECASE
)
_NO_MODEL = re.compile(
    r"model_?not_?found|(unknown|invalid|no such) model|model .{0,80}(not (exist|found)|unknown)",
    re.IGNORECASE,
)
_KEY = re.compile(r"\b(sk|pk|hf|gsk|xai)[-_][\w*-]{4,}|\b(Bearer|Basic)\s+\S+", re.IGNORECASE)
_TITLE = re.compile(r"<title>([^<]*)", re.IGNORECASE)
_SAYING = ("message", "detail", "error", "errors")
"""Fields in which servers say what is wrong."""
_SECRET = 8
"""Characters of the shortest key that is looked for in a server's words."""


class Sender(NamedTuple):
    """What the sentences name."""

    where: str
    """The server's URL."""
    model: str
    timeout: float
    """Seconds."""
    retries: int
    key: str = ""
    """The server's key, which no sentence tells."""


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
    where, said = asked.where, _own_words(body, message, asked.key)
    code = field_of(body, "code")
    again = f", also after {asked.retries} retries" if status != 200 and asked.retries else ""
    if status == 200 and code.isdigit():
        status = int(code)
    told = f": {said}" if said else ""
    if status in (200, 400, 413, 422, 500) and (status == 413 or OVERFLOW.search(said)):
        return ContextOverflow(f"the conversation is too long for {asked.model}{told}")
    if status == 451 or (status in (200, 400, 403) and FILTERED.search(said)):
        return PromptRefused(f"the server {where} refused this conversation{told}")
    if status in (401, 403):
        return LLMRefused(
            f"the server {where} refused the key (HTTP {status}){told}",
            hint="Set LICHEN_API_KEY (or OPENAI_API_KEY) to a key of that server.",
            status=status,
        )
    if status in (404, 405, 501) or (status in (400, 422) and _NO_MODEL.search(said)):
        return LLMRefused(
            f"the server {where} knows no model {asked.model!r}, or not this way of asking "
            f"(HTTP {status}){told}",
            hint="Check --model and --base-url (it usually ends in /v1).",
            status=status,
        )
    if status == 200:
        return LLMUnavailable(f"the server {where} answered with an error{told}")
    if status in (408, 409, 429) or status >= 500:
        return LLMUnavailable(
            f"the server {where} is overloaded or broken (HTTP {status}){again}{told}"
        )
    if status in (400, 422):
        return RequestRefused(f"the server {where} refused the request (HTTP {status}){told}")
    return LLMRefused(
        f"the server {where} refused the request (HTTP {status}){told}", status=status
    )


def _own_words(body: object, message: str, key: str) -> str:
    """Return what a server says is wrong, with the code it gives, on one line without keys."""
    named = words_of(body) or message
    code = field_of(body, "code")
    said = named if code in named else f"{code} {named}"
    return _first_line(without_keys(said, key).strip())


def words_of(body: object) -> str:
    """Return what an error's body says, in whatever form: an object, a list of them, text, a page.

    >>> words_of([{"loc": ["body", "seed"], "msg": "extra fields not permitted"}])
    'body.seed: extra fields not permitted'
    """
    if isinstance(body, str):
        title = _TITLE.search(body)
        return title[1].strip() if title else "" if "<html" in body.lower() else body
    if isinstance(body, Mapping):
        if "msg" in body:  # of FastAPI, which tells the place too
            place = body.get("loc")
            parts = ".".join(map(str, place)) if isinstance(place, list | tuple) else ""
            return f"{parts}: {body['msg']}" if parts else str(body["msg"])
        return next(filter(None, (words_of(body.get(name)) for name in _SAYING)), "")
    if isinstance(body, list):
        return "; ".join(filter(None, map(words_of, body)))
    return ""


def without_keys(said: str, key: str) -> str:
    """Return a server's words with its key, and whatever else looks like one, taken out.

    >>> without_keys("bad key Basic dTpwYXNz", "none")
    'bad key [key]'
    """
    if len(key) >= _SECRET:
        said = said.replace(key, "[key]")
    return _KEY.sub("[key]", said)


def field_of(body: object, name: str) -> str:
    """Return a field of an error's body as text; servers put it inside `error` or not."""
    if isinstance(body, Mapping):
        inner = body.get("error")
        source = inner if isinstance(inner, Mapping) else body
        value = source.get(name)
        return "" if value is None else str(value)
    return ""


def _first_line(text: str) -> str:
    return (text.splitlines() or [""])[0][:300]
