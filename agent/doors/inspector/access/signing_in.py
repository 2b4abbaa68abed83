"""Who sits before a page: keys become sessions of this process, and a form shows that it is ours."""

import hmac
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass, field

from starlette.requests import Request

from .....envs.errors import LichenError
from ...http.keys import LOCAL, Key, KeyRing, NotAllowed, hashed

COOKIE = "lichen_inspect"
_LASTS = 12 * 3600.0
"""Seconds that a session lasts without being used."""
_MOST = 1_000
"""Sessions at once; the one that was used least lately ends."""
READER = LOCAL.model_copy(update={"scopes": ("read",)})
"""Who comes from this machine without a key."""


class SignInNeeded(LichenError):
    """A page is shown only to who has a key."""


class StaleForm(LichenError):
    """A form was not sent by a page of this session."""


@dataclass
class Session:
    """Who signed in, in one browser."""

    key: Key
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    """The cookie."""
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    """What its forms carry."""
    used: float = 0.0

    @property
    def may_edit(self) -> bool:
        """Whether the key may change anything."""
        return "edit" in self.key.scopes


class Sessions:
    """The sessions of this process; they end with it.

    Args:
        keys: Who may do what; None: who comes from this machine may look, and one-time keys may edit.
    """

    def __init__(self, keys: KeyRing | None = None) -> None:
        self._keys = keys
        self._once: dict[str, Key] = {}
        self._held: OrderedDict[str, Session] = OrderedDict()

    @property
    def open(self) -> bool:
        """Whether anybody of this machine may look without a key."""
        return self._keys is None

    def one_time(self) -> str:
        """Return a key that signs in once, and may edit: for the browser that this machine's owner opens."""
        secret = secrets.token_urlsafe(24)
        self._once[hashed(secret)] = LOCAL
        return secret

    def sign_in(self, secret: str) -> Session:
        """Return a new session of a key.

        Raises:
            SignInNeeded: The key is unknown, or was used already.
            NotAllowed: It may not look.
        """
        found = self._once.pop(hashed(secret), None)
        if found is None and self._keys is not None:
            found = self._keys.find(secret)
        if found is None:
            raise SignInNeeded("this key is unknown, or was used already")
        found.must("read")
        session = Session(found, used=time.monotonic())
        self._held[session.token] = session
        if len(self._held) > _MOST:
            self._held.popitem(last=False)
        return session

    def sign_out(self, session: Session) -> None:
        """End a session."""
        self._held.pop(session.token, None)

    def of(self, request: Request) -> Session:
        """Return the session of a request.

        Raises:
            SignInNeeded: There is none, and a key is needed to look.
        """
        token = request.cookies.get(COOKIE, "")
        held = self._held.get(token)
        now = time.monotonic()
        key = self._now(held.key) if held is not None else None
        if held is not None and key is not None and now - held.used < _LASTS:
            held.used, held.key = now, key
            self._held.move_to_end(token)
            return held
        self._held.pop(token, None)
        if self.open:
            return Session(READER, token="", csrf="")
        raise SignInNeeded("a key is needed", hint="`lichen serve keys add NAME` makes one.")

    def _now(self, key: Key) -> Key | None:
        """Return a key as it is now: with the scopes of the file; None: it was taken away, or may not look."""
        if key is LOCAL or self._keys is None:
            return key
        found = next((held for held in self._keys.keys if held.sha256 == key.sha256), None)
        return found if found is not None and "read" in found.scopes else None


def editing(session: Session, csrf: str) -> Key:
    """Return the key of a session that may change something, by a form that this session was shown.

    Raises:
        NotAllowed: The session may not edit.
        StaleForm: The form is of another session.
    """
    if not session.may_edit:
        raise NotAllowed(
            "this page is read-only without a key that may edit",
            hint="Sign in with one: `lichen inspect --edit` shows a link, `lichen serve keys add NAME` a key.",
        )
    if not session.csrf or not hmac.compare_digest(session.csrf.encode(), csrf.encode()):
        raise StaleForm(
            "this form is of an earlier session", hint="Load the page again and repeat it."
        )
    return session.key
