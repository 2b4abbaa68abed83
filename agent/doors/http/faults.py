"""What went wrong, as HTTP says it: a status and one JSON sentence with a hint.

Under `/v1/chat` and `/v1/models` in the form in which OpenAI's clients read it.
"""

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from ....envs.errors import BadFile, LichenError, UnknownName, UsageError
from ....memory.ledger.errors import StoreUnwritable, UnknownCase
from ....skills.errors import BadSkill, SkillChanged, UnknownSkill
from ...asking.answering import HasEnded, Unanswered
from .keys import NotAllowed

_log = logging.getLogger(__name__)
_OPENAI = ("/v1/chat", "/v1/models")
_STATUS: tuple[tuple[type[LichenError], int], ...] = (
    (NotAllowed, 403),
    (UnknownCase, 404),
    (UnknownName, 404),
    (UnknownSkill, 404),
    (HasEnded, 409),
    (BadSkill, 409),
    (SkillChanged, 409),
    (UsageError, 400),
    (BadFile, 400),
    (Unanswered, 503),
    (StoreUnwritable, 503),
)
_KINDS = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}


def status_of(error: LichenError) -> int:
    """Return the status of an error: whose fault it is."""
    for kind, status in _STATUS:
        if isinstance(error, kind):
            return status
    return 503 if error.retryable else 502


def fault_body(path: str, status: int, said: str, hint: str = "") -> dict[str, Any]:
    """Return what is sent; `path` is below where the app is mounted."""
    said = " ".join(said.split())
    if path.startswith(_OPENAI):
        whole = f"{said}. {hint}" if hint else said
        kind = _KINDS.get(status, "server_error" if status >= 500 else "invalid_request_error")
        return {"error": {"message": whole, "type": kind, "param": None, "code": None}}
    return {"error": said, "hint": hint}


def fault(
    path: str, status: int, said: str, hint: str = "", headers: dict[str, str] | None = None
) -> JSONResponse:
    """Return the answer that says what went wrong."""
    return JSONResponse(fault_body(path, status, said, hint), status, headers)


def path_of(scope: Any) -> str:
    """Return the path of a request below where the app is mounted."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return path.removeprefix(root) if root else path


def told_by(app: FastAPI) -> None:
    """Let an app say what went wrong in this form."""

    @app.exception_handler(LichenError)
    async def of_lichen(request: Request, error: LichenError) -> JSONResponse:
        status = status_of(error)
        if status >= 500:
            _log.warning("%s: %s", type(error).__name__, error)
        return fault(path_of(request.scope), status, str(error), error.hint)

    @app.exception_handler(RequestValidationError)
    async def of_form(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return fault(path_of(request.scope), 422, f"{where}: {first['msg']}")

    @app.exception_handler(HTTPException)
    async def of_http(request: Request, error: HTTPException) -> JSONResponse:
        path = path_of(request.scope)
        said = str(error.detail)
        if error.status_code == 404:
            return fault(path, 404, f"there is nothing at {path}", "See /openapi.json.")
        headers = dict(error.headers) if error.headers else None
        return fault(path, error.status_code, said, headers=headers)

    @app.exception_handler(Exception)
    async def of_us(request: Request, error: Exception) -> JSONResponse:
        _log.error("a fault of the server's own", exc_info=error)
        return fault(path_of(request.scope), 500, "a fault of the server's own; its log says more")
