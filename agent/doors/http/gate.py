"""What every request passes before anything else: where it comes from, how large it is, its key, its rate."""

import json
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from pydantic import Field
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ....envs.text import whole_values
from ....envs.types import Record
from .faults import fault, path_of
from .keys import LOCAL, Key, KeyRing

LOOPBACK = ("127.0.0.1", "localhost", "::1")
OPEN = ("/health", "/ready")
"""What is answered without a key: it says nothing of what is remembered."""
_REMEMBERED = 10_000
"""Callers whose rate is known."""


class ServeLimits(Record):
    """What a server takes."""

    body: int = Field(default=1_048_576, ge=1)
    """Bytes of one request."""
    rate: int | None = Field(default=600, ge=1)
    """Requests of one key in a minute (without keys: of one address); None: no limit."""


class Gate:
    """Middleware in front of the app.

    Args:
        app: Behind it.
        keys: None: only who comes from this machine, by its own names, is let in.
        limits: What is taken.
        own_keys: Beginnings of paths whose app asks for keys itself: a browser sends none with a link.
        clock: Seconds.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        keys: KeyRing | None,
        limits: ServeLimits,
        own_keys: Sequence[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app, self._keys, self._limits = app, keys, limits
        self._own_keys = tuple(own_keys)
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or say why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "HEAD":  # the server leaves the body out
            scope = {**scope, "method": "GET"}
        path, headers = path_of(scope), Headers(scope=scope)
        if said := self._stranger(scope, headers):
            await fault(path, 403, said)(scope, receive, send)
            return
        key = LOCAL
        if self._keys is not None and path not in OPEN and not self._asks_itself(path):
            secret = _secret(headers)
            found = self._keys.find(secret) if secret else None
            if found is None:
                said = "this key is unknown" if secret else "a key is needed"
                hint = "Send it as `Authorization: Bearer KEY`."
                answer = fault(path, 401, said, hint, {"WWW-Authenticate": "Bearer"})
                await answer(scope, receive, send)
                return
            key = found
        if path not in OPEN and (wait := self._over(key, scope)):
            hint = f"Try again in {wait} seconds."
            answer = fault(path, 429, "too many requests", hint, {"Retry-After": str(wait)})
            await answer(scope, receive, send)
            return
        body = await self._body(headers, receive)
        if body is None:
            said = f"the request has more than {self._limits.body} bytes"
            await fault(path, 413, said, headers={"Connection": "close"})(scope, receive, send)
            return
        try:
            body = sound_json(body, headers)
        except (ValueError, RecursionError) as error:
            await fault(path, 400, f"the body is no JSON: {str(error)[:200]}")(scope, receive, send)
            return
        scope.setdefault("state", {})["key"] = key
        await self._app(scope, _replayed(body, receive), send)

    def _asks_itself(self, path: str) -> bool:
        return any(path == own or path.startswith(f"{own}/") for own in self._own_keys)

    def _stranger(self, scope: Scope, headers: Headers) -> str:
        """Return why a request may not come from there; empty where it may.

        A page in a browser can ask whatever address it wants, under a name of its own (DNS rebinding), but it
        cannot choose the headers Host and Origin.
        """
        host = headers.get("host", "")
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != host:
            return "requests of pages from other sites are not taken"
        if self._keys is not None:
            return ""
        client = scope.get("client")
        if client and client[0] not in LOOPBACK:
            return "without keys only this machine itself is served"
        name = urlsplit(f"//{host}").hostname if _sound(host) else None
        if name not in LOOPBACK:
            return f"this server is not {host[:100]!r}: say localhost"
        return ""

    def _over(self, key: Key, scope: Scope) -> int:
        """Return the seconds until a caller may come again; 0 where it may now."""
        if self._limits.rate is None:
            return 0
        client = scope.get("client")
        who = key.sha256 or (client[0] if client else "")
        now, most = self._clock(), float(self._limits.rate)
        left, at = self._buckets.pop(who, (most, now))
        left = min(most, left + (now - at) * most / 60)
        over = left < 1
        self._buckets[who] = (left if over else left - 1, now)
        if len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)
        return max(1, math.ceil((1 - left) * 60 / most)) if over else 0

    async def _body(self, headers: Headers, receive: Receive) -> bytes | None:
        """Return the whole body, None where it is too large."""
        said = headers.get("content-length", "0")
        if said.isdigit() and int(said[:19]) > self._limits.body:
            return None
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return b"".join(parts)  # the caller is gone
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self._limits.body:
                return None
            if not message.get("more_body"):
                return b"".join(parts)


def sound_json(body: bytes, headers: Headers) -> bytes:
    """Return a JSON body in which every number is one, and every text can be written as UTF-8.

    Raises:
        ValueError: It is no JSON, or a number in it is too large or none.
    """
    if not body or "json" not in headers.get("content-type", ""):
        return body
    said = json.loads(body, parse_constant=_no_number, parse_float=_finite)
    if b"\\u" not in body:
        return body
    return json.dumps(whole_values(said)).encode()


def _no_number(said: str) -> float:
    raise ValueError(f"{said} is no number")


def _finite(said: str) -> float:
    if math.isinf(number := float(said)):
        raise ValueError(f"{said[:20]} is too large")
    return number


def _secret(headers: Headers) -> str:
    kind, _, secret = headers.get("authorization", "").partition(" ")
    return secret.strip() if kind.lower() == "bearer" else ""


def _sound(host: str) -> bool:
    try:
        urlsplit(f"//{host}")
    except ValueError:
        return False
    return True


def _replayed(body: bytes, receive: Receive) -> Receive:
    told = False

    async def again() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
