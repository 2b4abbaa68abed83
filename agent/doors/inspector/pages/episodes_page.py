"""Episodes: the list, one as a timeline, two side by side, and the stream that says that something happened."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response, StreamingResponse

from .....envs.errors import UsageError
from .....memory.ledger.errors import UnknownCase
from .....memory.store.store import Store
from .....memory.store.verdicts import judged
from ...http.keys import Key
from ..look.rendering import page
from ..seen.episode_log import EpisodeLine, page_of
from ..seen.inspected import Inspected
from ..seen.timeline import Timeline, timeline
from .callers import EditingKey, Row, Sitting, TheInspected, actor_of, to

router = APIRouter(prefix="/episodes")
MOST = 50
"""Rows of a page."""
POLL = 0.4
"""Seconds after which the ledger is looked at again for a live page."""


@router.get("")
async def episodes(
    request: Request,
    session: Sitting,
    inspected: TheInspected,
    q: str = "",
    env: str = "",
    family: str = "",
    outcome: str = "",
    source: str = "",
    namespace: str = "",
    run: str = "",
    before: Row = None,
) -> Response:
    """List the episodes, the newest first."""
    lines = [line for line in inspected.log.lines() if session.key.owns(line.namespace)]
    words = q.casefold().split()

    def wanted(line: EpisodeLine) -> bool:
        said = f"{line.goal} {line.task_id} {line.id}".casefold()
        return (
            all(word in said for word in words)
            and env in ("", line.env)
            and family in ("", line.family)
            and outcome in ("", "waiting" if line.waits else line.outcome or "open")
            and source in ("", line.source)
            and namespace in ("", line.namespace)
            and run in ("", line.run)
        )

    found, older = page_of(lines, before, MOST, wanted)
    return page(
        request,
        "episodes.html",
        session,
        lines=found,
        older=older,
        total=len(lines),
        envs=sorted({line.env for line in lines}),
        families=sorted({line.family for line in lines if env in ("", line.env)})[:200],
        namespaces=sorted({line.namespace for line in lines} - {""})[:200],
    )


@router.get("/compare")
async def compare(
    request: Request, session: Sitting, inspected: TheInspected, a: str = "", b: str = ""
) -> Response:
    """Show two episodes side by side."""
    both = [await _whole(inspected, _line(inspected, session.key, name)) for name in (a, b) if name]
    lines = [line for line in inspected.log.lines() if session.key.owns(line.namespace)]
    here = both[0].started if both else None
    others = [
        line
        for line in reversed(lines)
        if here is None or (line.env == here.env and line.id != both[0].id)
    ]
    others.sort(key=lambda line: here is not None and line.task_id != here.task_id)
    return page(request, "compare.html", session, both=both, others=others[:50])


@router.get("/{episode}")
async def one(
    request: Request,
    session: Sitting,
    inspected: TheInspected,
    episode: str,
    until: Row = None,
) -> Response:
    """Show one episode; `until`: as it was after that step."""
    line = _line(inspected, session.key, episode)
    found = await _whole(inspected, line)
    steps = len(found.moments)
    if until is not None and steps:
        until = min(until, steps - 1)
        found = found.model_copy(update={"moments": found.moments[: until + 1]})
    return page(
        request,
        "episode.html",
        session,
        e=found,
        until=until,
        steps=steps,
        waits=line.waits,
        may_approve=inspected.approve is not None and session.may_edit,
    )


@router.get("/{episode}/stream")
async def stream(
    session: Sitting, inspected: TheInspected, request: Request, episode: str
) -> Response:
    """Say whenever something of an episode was written, until it has ended (server-sent events)."""
    line = _line(inspected, session.key, episode)

    async def told() -> AsyncIterator[str]:
        yield "retry: 1000\n\n"
        seen = 0
        while not (inspected.ending or await request.is_disconnected()):
            now = await inspected.look(partial(_last_row, episode=line.id, after=seen))
            if now != seen:
                seen = now
                yield f"event: changed\nid: {now}\ndata: {now}\n\n"
            latest = inspected.log.line(line.id)
            if latest is None or latest.outcome is not None:
                yield "event: ended\ndata: -\n\n"
                return
            await asyncio.sleep(POLL)

    return StreamingResponse(told(), media_type="text/event-stream")


@router.post("/{episode}/verdict")
async def verdict(
    request: Request,
    key: EditingKey,
    inspected: TheInspected,
    episode: str,
    said: Annotated[str, Form()] = "",
    correct: Annotated[str, Form()] = "",
    note: Annotated[str, Form()] = "",
) -> Response:
    """Write down what a person says of an episode; it counts from now, and earlier words stay in the ledger."""
    line = _line(inspected, key, episode)
    good = {"good": True, "bad": False}.get(said)
    await inspected.change(
        lambda store: judged(
            store, line.id, good=good, correct=correct, note=note, actor=actor_of(key)
        )
    )
    return to(request, f"episodes/{line.id}?saved=verdict-{line.id}#verdict")


@router.post("/{episode}/approval")
async def approval(
    request: Request,
    key: EditingKey,
    inspected: TheInspected,
    episode: str,
    said: Annotated[str, Form()] = "",
    note: Annotated[str, Form()] = "",
) -> Response:
    """Approve or refuse the call that an episode waits with; it goes on at once."""
    line = _line(inspected, key, episode)
    if inspected.approve is None or said not in ("yes", "no"):
        raise UsageError(
            "no agent is at hand to go on with it" if said else "say yes or no",
            hint="The pages of `lichen serve` can, or `agent.approve(ID)` where the agent runs.",
        )
    await inspected.approve(line.id, said == "yes", note)
    return to(request, f"episodes/{line.id}")


def _last_row(store: Store, episode: str, after: int) -> int:
    """Return the number of an episode's last row; `after`, where it has none behind that."""
    return max((row.seq for row in store.ledger.read(after=after, episode=episode)), default=after)


def _line(inspected: Inspected, key: Key, episode: str) -> EpisodeLine:
    line = inspected.log.line(episode)
    if line is None or not key.owns(line.namespace):
        raise UnknownCase(f"no episode {episode[:60]!r} is here")
    return line


async def _whole(inspected: Inspected, line: EpisodeLine) -> Timeline:
    found = await inspected.look(lambda store: timeline(store, line.id))
    if found is None:
        raise UnknownCase(f"the episode {line.id} was forgotten")
    return found
