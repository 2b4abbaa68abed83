"""The inspector as an ASGI app: pages over one store, to be served by itself or beside the HTTP door."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from ....envs.errors import LichenError
from ....memory.store.store import Store
from ...agent import Agent
from ..http.faults import status_of
from .access.page_rules import PageRules
from .access.signing_in import Sessions, SignInNeeded, StaleForm
from .look.rendering import HERE, page
from .pages import (
    episodes_page,
    memory_edit_page,
    memory_page,
    overview_page,
    playbook_page,
    settings_page,
    sign_in_page,
    skill_acts_page,
    skill_edits_page,
    skills_page,
    tools_page,
)
from .seen.inspected import Inspected
from .seen.skill_bench import SkillBench
from .seen.tool_table import ToolTable

if TYPE_CHECKING:
    from ..http.keys import KeyRing

_log = logging.getLogger(__name__)
_PAGES = (
    *(sign_in_page, overview_page, episodes_page, memory_page, memory_edit_page, settings_page),
    *(playbook_page, skills_page, skill_edits_page, skill_acts_page, tools_page),
)


def inspector_app(inspected: Inspected, keys: "KeyRing | None" = None) -> FastAPI:
    """Return the pages over a store as an ASGI app.

    Args:
        inspected: What is looked at; its owner closes it.
        keys: Who may look and edit. None: whoever comes from this machine may look; who signs in by a one-time
            key (`app.state.sessions.one_time()`) may edit.
    """
    app = FastAPI(title="Lichen inspector", openapi_url=None, docs_url=None, redoc_url=None)
    app.state.inspected = inspected
    app.state.sessions = Sessions(keys)
    app.state.skill_bench = SkillBench(inspected)
    app.state.tool_table = ToolTable()
    for pages in _PAGES:
        app.include_router(pages.router)
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    app.add_middleware(PageRules)

    @app.exception_handler(LichenError)
    async def of_lichen(request: Request, error: LichenError) -> Response:
        if isinstance(error, SignInNeeded):
            return _to_sign_in(request)
        status = 409 if isinstance(error, StaleForm) else status_of(error)
        if status >= 500:
            _log.warning("%s: %s", type(error).__name__, error)
        return _fault(request, status, str(error), error.hint)

    @app.exception_handler(HTTPException)
    async def of_http(request: Request, error: HTTPException) -> Response:
        said = "there is no such page" if error.status_code == 404 else str(error.detail)
        return _fault(request, error.status_code, said, "")

    @app.exception_handler(RequestValidationError)
    async def of_form(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        name, said = first["loc"][-1], str(first["msg"])
        return _fault(request, 422, f"{name}: {said[:1].lower()}{said[1:]}", "")

    @app.exception_handler(Exception)
    async def of_us(request: Request, error: Exception) -> Response:
        _log.error("a fault of the inspector's own", exc_info=error)
        return _fault(request, 500, "a fault of the inspector's own; its log says more", "")

    return app


def inspected_of(agent: Agent) -> Inspected:
    """Return what the pages look at where an agent is served; changes are made on the agent's own loop."""

    async def change(work: Callable[[Store], Any]) -> Any:
        async def done() -> Any:
            return work(agent.store)

        return await agent.inside.opened.loop.wait(done())

    async def approve(episode: str, approved: bool, note: str) -> None:
        await agent.aapprove(episode, approved, note=note)

    return Inspected(agent.config, agent.store.embedder, change, approve=approve)


def _to_sign_in(request: Request) -> Response:
    root = str(request.scope.get("root_path", ""))
    return RedirectResponse(f"{root}/sign-in", 303)


def _fault(request: Request, status: int, said: str, hint: str) -> HTMLResponse:
    try:
        session = request.app.state.sessions.of(request)
    except SignInNeeded:
        session = None
    return page(request, "fault.html", session, status, said=said, hint=hint)
