"""Tools: what their calls came to, by contract and by how they were called; known failures; what used them."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from .....envs.errors import UnknownName
from .....envs.registry import make, names
from .....envs.tools import ToolSpec
from .....memory.store.store import Store
from ..look.rendering import page
from ..seen.tool_table import NO_CALL, SeenContract, ToolCase, ToolLine, ToolTable, matching
from .callers import LARGEST, Sitting, TheInspected

router = APIRouter(prefix="/tools")
MOST = 100
"""Rows of a page."""
ORIGINS = {"goal": "the goal", "seen": "what was seen", "made": "nowhere: made up"}
"""Where the value of an argument comes from, in words."""


@router.get("")
async def tools(
    request: Request,
    session: Sitting,
    inspected: TheInspected,
    q: str = "",
    env: str = "",
    failing: str = "",
    part: Annotated[int, Query(ge=0, le=LARGEST, alias="page")] = 0,
) -> Response:
    """List every tool and contract that memory knows calls of."""
    table = _table(request)
    lines = await inspected.look(lambda store: table.lines(store, session.key))
    found = matching(lines, q, env, bool(failing))
    first = part * MOST
    return page(
        request,
        "tools.html",
        session,
        lines=found[first : first + MOST],
        total=len(lines),
        next=part + 1 if len(found) > first + MOST else None,
        envs=sorted({line.record.env for line in lines}),
        no_call=NO_CALL,
        origins=ORIGINS,
    )


@router.get("/{name:path}")
async def one(
    request: Request,
    session: Sitting,
    inspected: TheInspected,
    name: str,
    env: str = "",
    now: bool = False,
) -> Response:
    """Show one tool; `now`: open its environment and show its contract."""
    table, tool = _table(request), "" if name == NO_CALL else name

    def found(store: Store) -> tuple[list[ToolLine], list[SeenContract], list[ToolCase]]:
        lines = table.lines(store, session.key)
        return (
            [line for line in lines if line.record.tool == tool and env in ("", line.record.env)],
            [seen for seen in table.contracts(store, tool) if env in ("", seen.env)],
            table.uses(store, session.key, tool),
        )

    lines, seen, uses = await inspected.look(found)
    if not lines:
        known = await inspected.look(lambda store: table.lines(store, session.key))
        raise UnknownName("tool", name[:80], {line.record.tool for line in known} - {""})
    here = next((line.record.env for line in lines if line.record.env in names()), "")
    return page(
        request,
        "tool.html",
        session,
        tool=tool,
        lines=lines,
        origins=ORIGINS,
        when={
            episode: line.at
            for one in lines
            for episode in (one.first, one.last)
            if (line := inspected.log.line(episode)) is not None
        },
        seen=seen,
        uses=uses,
        here_env=here,
        spec=await asyncio.to_thread(_spec, here, tool) if now and here else None,
        asked=now,
        no_call=NO_CALL,
    )


def _table(request: Request) -> ToolTable:
    found: ToolTable = request.app.state.tool_table
    return found


def _spec(env: str, tool: str) -> ToolSpec | None:
    """Return the contract that a tool has where its environment is opened now; None: it has none of its own."""
    environment = make(env)
    try:
        tasks = environment.tasks("train")
        if tasks and environment.action_mode == "tool_call":
            environment.reset(tasks[0].id)
        return next((spec for spec in environment.tools() if spec.name == tool), None)
    finally:
        environment.close()
