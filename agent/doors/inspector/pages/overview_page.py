"""The overview: is it learning, what changed, what needs a person."""

import time

from fastapi import APIRouter, Request
from starlette.responses import Response

from .....memory.store.store import Store
from ..look.charts import curve
from ..look.rendering import page
from ..seen import learning
from ..seen.attention import Waiting, wanted
from .callers import Sitting, TheInspected

router = APIRouter()


@router.get("/")
async def overview(request: Request, session: Sitting, inspected: TheInspected) -> Response:
    """Show what the agent learned, and what waits."""
    key = session.key
    lines = inspected.log.lines()
    if key.namespace:
        lines = [line for line in lines if key.owns(line.namespace)]
    if not lines:
        return page(request, "overview.html", session, empty=True)

    mine = {line.id for line in lines}

    def folded(store: Store) -> tuple[learning.HeldOutGain | None, list[learning.Harmful], int]:
        told = [
            found for found in store.fold.observed if not key.namespace or found.episode in mine
        ]
        harmful = [one for one in learning.harmful(store) if one.episode in mine]
        return learning.gain(told), harmful, inspected.lists.count(store, "episodes", key.owns)

    gain, harmful, held = await inspected.look(folded)
    waits: list[Waiting] = await wanted(inspected, key)
    own = [line for line in lines if line.source == "own"]
    return page(
        request,
        "overview.html",
        session,
        empty=False,
        curve=curve(learning.over_time(lines)),
        families=learning.by_family(lines)[:12],
        gain=gain,
        harmful=harmful,
        held=held,
        rate=learning.rate_of("all", own),
        tokens=sum(line.tokens for line in own),
        dollars=sum(line.dollars for line in own),
        week=learning.this_week(lines, time.time()),
        waits=waits,
        latest=list(reversed(lines))[:6],
    )
