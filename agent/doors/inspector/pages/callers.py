"""What the routes of all pages have in common: who sits before them, and what is looked at."""

from typing import Annotated

from fastapi import Depends, Form, Query, Request
from pydantic import BeforeValidator, Field
from starlette.responses import RedirectResponse

from ...http.keys import Key
from ..access.signing_in import Session, Sessions, editing
from ..seen.inspected import Inspected


def _inspected(request: Request) -> Inspected:
    found: Inspected = request.app.state.inspected
    return found


def _session(request: Request) -> Session:
    sessions: Sessions = request.app.state.sessions
    return sessions.of(request)


TheInspected = Annotated[Inspected, Depends(_inspected)]
Sitting = Annotated[Session, Depends(_session)]


def _editing(session: Sitting, csrf: Annotated[str, Form()] = "") -> Key:
    return editing(session, csrf)


EditingKey = Annotated[Key, Depends(_editing)]
"""The key of a session that may edit; the form carries `csrf`."""


def actor_of(key: Key) -> str:
    """Return the name under which the ledger keeps what a key changed here."""
    return f"inspector:{key.name}"


def _said(text: object) -> object:
    return None if text == "" else text  # a field of a form that was left empty


LARGEST = 2**53
"""Of a number in an address: more than any ledger has rows."""
Row = Annotated[Annotated[int, Field(ge=0, le=LARGEST)] | None, BeforeValidator(_said), Query()]
"""Number of a row or a step, in an address; None: none was said."""


def to(request: Request, path: str) -> RedirectResponse:
    """Send the browser to a page of the inspector, after a form was taken."""
    return RedirectResponse(f"{request.scope.get('root_path', '')}/{path}", 303)
