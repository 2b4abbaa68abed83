"""Signing in and out."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from .....envs.errors import LichenError
from ..access.signing_in import COOKIE, Sessions
from ..look.rendering import page
from .callers import Sitting, to

router = APIRouter()


@router.get("/sign-in")
async def ask(request: Request, key: str = "") -> Response:
    """Show the form; a link with a one-time key signs in at once."""
    if key:
        return _in(request, key)
    return page(request, "sign_in.html", None, said="")


@router.post("/sign-in")
async def take(request: Request, key: Annotated[str, Form()] = "") -> Response:
    """Sign in with a key."""
    return _in(request, key)


@router.post("/sign-out")
async def leave(request: Request, session: Sitting) -> Response:
    """End the session."""
    sessions: Sessions = request.app.state.sessions
    sessions.sign_out(session)
    answer = to(request, "")
    answer.delete_cookie(COOKIE, path=_path(request))
    return answer


def _in(request: Request, key: str) -> Response:
    sessions: Sessions = request.app.state.sessions
    try:
        session = sessions.sign_in(key.strip())
    except LichenError as error:
        return page(request, "sign_in.html", None, 401, said=str(error))
    answer = to(request, "")
    answer.set_cookie(
        COOKIE,
        session.token,
        path=_path(request),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer


def _path(request: Request) -> str:
    return str(request.scope.get("root_path", "")) or "/"
