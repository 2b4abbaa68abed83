"""Whether the server lives, and whether it takes requests; asked without a key."""

from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from .callers import TheAgent

router = APIRouter(tags=["state"])


class Healthy(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class ReadyNow(BaseModel):
    """It takes requests, or why not."""

    ready: bool
    why: str = ""


@router.get("/health")
async def health() -> Healthy:
    """Say that the process answers."""
    return Healthy()


@router.get("/ready", responses={503: {"model": ReadyNow}})
async def ready(request: Request, served: TheAgent) -> JSONResponse:
    """Say whether requests are taken: the store is open, and nothing is being ended."""
    why = ""
    if request.app.state.draining:
        why = "the server is being ended"
    elif served.agent.inside.opened.loop.closed:
        why = "the agent is closed"
    said = ReadyNow(ready=not why, why=why)
    return JSONResponse(said.model_dump(), 503 if why else 200)
