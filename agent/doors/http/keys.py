"""Keys of the HTTP door: who may do what, and for whom. Only their hashes are kept."""

import hashlib
import json
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

from pydantic import TypeAdapter, ValidationError

from ....envs.errors import BadFile, LichenError, UnknownName, UsageError
from ....envs.types import Record
from ....memory.ledger.namespaces import EVERYONE, checked, within

Scope = Literal["ask", "read", "edit"]
"""ask: requests, feedback, recall and remember; read: look at what is remembered; edit: approve and forget."""
SCOPES: tuple[Scope, ...] = get_args(Scope)
FILE = "serve-keys.json"
"""In a store."""
VARIABLE = "LICHEN_SERVE_KEYS"
"""Keys themselves, with blanks between them, each `KEY[:SCOPE,SCOPE[:NAMESPACE]]`."""
_LEAST = 20
"""Letters of a key that a person gives."""


class NotAllowed(LichenError):
    """A key may not do this."""


class Key(Record):
    """What one key may do."""

    name: str
    sha256: str
    """Of the key, in hex digits."""
    scopes: tuple[Scope, ...] = SCOPES
    namespace: str = EVERYONE
    """It acts for this and all below it; empty: for everyone."""

    def bounded(self, namespace: str) -> str:
        """Return the namespace that a request is for; the key's own where none is named.

        Raises:
            UsageError: It is no namespace.
            NotAllowed: It is not the key's.
        """
        namespace = checked(namespace) or self.namespace
        if not self.owns(namespace):
            raise NotAllowed(
                f"this key may not act for {namespace!r}",
                hint=f"It acts for {self.namespace!r}, and for {self.namespace}/NAME.",
            )
        return namespace

    def owns(self, namespace: str) -> bool:
        """Return whether it may act for a namespace."""
        return within(namespace, self.namespace)

    def must(self, scope: Scope) -> None:
        """Pass, if the key has a scope.

        Raises:
            NotAllowed: It has not.
        """
        if scope not in self.scopes:
            raise NotAllowed(f"the key {self.name!r} has not the scope {scope!r}")


LOCAL = Key(name="local", sha256="")
"""Who comes from this machine, where there are no keys."""
_ROWS = TypeAdapter(list[Key])


class KeyRing:
    """The keys of a server: those of a file, read again when it changes, and those of the environment.

    Args:
        file: Made by `lichen serve keys add`; it may not be there yet.
        given: As `LICHEN_SERVE_KEYS` has them.

    Raises:
        BadFile: The file is no list of keys, or others on this machine can read it.
        UsageError: A given key is too short, or a scope is none.
    """

    def __init__(self, file: Path | None = None, given: str = "") -> None:
        self._file = file
        self._given = [_given(word, number) for number, word in enumerate(given.split(), start=1)]
        self._seen: tuple[int, int] = (0, -1)
        self._rows: list[Key] = []
        self._refresh()

    @property
    def keys(self) -> list[Key]:
        """All of them."""
        self._refresh()
        return [*self._rows, *self._given]

    def find(self, secret: str) -> Key | None:
        """Return what a key may do; None: there is no such key."""
        sha256 = hashed(secret)
        return next((key for key in self.keys if key.sha256 == sha256), None)

    def _refresh(self) -> None:
        if self._file is None:
            return
        try:
            state = self._file.stat()
        except FileNotFoundError:
            self._rows, self._seen = [], (0, -1)
            return
        now = (state.st_mtime_ns, state.st_size)
        if now != self._seen:
            self._rows, self._seen = read_keys(self._file), now


def hashed(secret: str) -> str:
    """Return the hash of a key. Keys are long and random, so that a plain hash says nothing of them."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def read_keys(file: Path) -> list[Key]:
    """Return the keys of a file; none where it is not there.

    Raises:
        BadFile: It is no list of keys, or others can read it.
    """
    if not file.exists():
        return []
    if file.stat().st_mode & 0o077:
        raise BadFile(f"others can read the keys in {file}", hint=f"chmod 600 {file}")
    try:
        return _ROWS.validate_json(file.read_bytes())
    except ValidationError as error:
        said = error.errors()[0]["msg"]
        raise BadFile(f"{file} is no file of keys: {said}") from error


def add_key(file: Path, name: str, scopes: Sequence[str] = SCOPES, namespace: str = "") -> str:
    """Make a key, keep its hash, and return it; it cannot be shown again.

    Raises:
        UsageError: There is one of this name, or the namespace is none.
        UnknownName: A scope is none.
    """
    held = read_keys(file)
    if not name.strip() or any(key.name == name for key in held):
        raise UsageError(f"there is a key {name!r} already" if name.strip() else "a key has a name")
    secret = f"lk_{secrets.token_urlsafe(32)}"
    made = Key(
        name=name, sha256=hashed(secret), scopes=_scopes(scopes), namespace=checked(namespace)
    )
    _write(file, [*held, made])
    return secret


def remove_key(file: Path, name: str) -> None:
    """Take a key away; a server that runs knows it at once.

    Raises:
        UnknownName: There is none of this name.
    """
    held = read_keys(file)
    if all(key.name != name for key in held):
        raise UnknownName("key", name, [key.name for key in held])
    _write(file, [key for key in held if key.name != name])


def _write(file: Path, keys: Sequence[Key]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    text = json.dumps([key.model_dump() for key in keys], indent=1)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)


def _scopes(scopes: Sequence[str]) -> tuple[Scope, ...]:
    for scope in scopes:
        if scope not in SCOPES:
            raise UnknownName("scope", scope, SCOPES)
    if not scopes:
        raise UsageError("a key without a scope may do nothing")
    return tuple(scope for scope in SCOPES if scope in scopes)


def _given(word: str, number: int) -> Key:
    secret, _, rest = word.partition(":")
    scopes, _, namespace = rest.partition(":")
    if len(secret) < _LEAST:
        raise UsageError(
            f"key {number} of {VARIABLE} has fewer than {_LEAST} letters",
            hint="`lichen serve keys add NAME` makes a good one.",
        )
    return Key(
        name=f"{VARIABLE}-{number}",
        sha256=hashed(secret),
        scopes=_scopes([s for s in scopes.split(",") if s] or SCOPES),
        namespace=checked(namespace),
    )
