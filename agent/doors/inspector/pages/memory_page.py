"""Memory: the list with its facets, search as the agent searches, one case, and all of it as it was."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import APIRouter, Request
from starlette.responses import Response

from .....memory.ledger.records import EpisodeCase, MemoryRecord, StepCase, SubtaskCase
from .....memory.store.curation import held_named
from .....memory.store.store import Store
from ...http.keys import Key
from ..access.signing_in import Session
from ..look.rendering import page
from ..seen.inspected import Inspected
from ..seen.memory_case import CaseView, title_of, view_of
from ..seen.memory_list import FACETS, GRAINS, CasePage
from ..seen.memory_search import FoundCase, WouldRecall, search, spaces_of, would_recall
from ..seen.past import BeingFolded
from .callers import Row, Sitting, TheInspected

router = APIRouter(prefix="/memory")
MOST = 50
"""Rows of a page."""
_HITS = 15
"""Of a search."""
_ENVS = 20
"""Environments that are searched at once."""
T = TypeVar("T")


@router.get("")
async def cases(
    request: Request,
    session: Sitting,
    inspected: TheInspected,
    q: str = "",
    grain: str = "episodes",
    episode: str = "",
    before: Row = None,
    as_of: Row = None,
) -> Response:
    """List the cases, the newest first, or what is like a text."""
    key = session.key
    grain = grain if grain in GRAINS else "episodes"
    chosen = {name: request.query_params.get(name, "") for name in FACETS}
    text = " ".join(q.split())[:2_000]

    def found(store: Store) -> dict[str, Any]:
        columns = inspected.lists.of(store, grain)
        shown = columns.page(chosen, key.owns, before=before, most=MOST)
        known = store.held(GRAINS[grain])
        held = [known[i] for i in shown.ids]
        hits, told = None, None
        if episode:
            held = [
                one for one in store.held.everything_of(episode[:200]) if key.owns(one.namespace)
            ]
        elif text:
            hits, told = _searched(store, inspected, key, text, grain, chosen, shown)
        return {
            "shown": shown,
            "cases": [(one, title_of(one), store.trust(one)) for one in held],
            "hits": hits,
            "told": told,
            "pinned": store.pinned,
            "trust": store.trust,
            "title_of": title_of,
            "counts": {name: inspected.lists.count(store, name, key.owns) for name in GRAINS},
        }

    try:
        if text and not episode and as_of is None:
            # what an agent is told is of episodes and subtasks
            for kind in (StepCase,) if grain == "steps" else (EpisodeCase, SubtaskCase):
                await inspected.must_index(kind)
        seen = await _looked(inspected, as_of, found)
    except BeingFolded as error:
        return waits(request, session, error)
    return page(
        request,
        "memory.html",
        session,
        grain=grain,
        grains=list(GRAINS),
        chosen=chosen,
        episode=episode,
        asked=text,
        config=inspected.config.retriever,
        **await _moment(inspected, as_of),
        **seen,
    )


@router.get("/{name}")
async def case(
    request: Request,
    session: Sitting,
    inspected: TheInspected,
    name: str,
    as_of: Row = None,
) -> Response:
    """Show one case; the id may be that of an episode."""
    mapped = True
    try:
        if as_of is None:
            kind = await inspected.look(lambda store: type(owned_case(store, session.key, name)))
            try:
                await inspected.must_index(kind)
            except BeingFolded:
                mapped = False
        found = await _looked(
            inspected, as_of, lambda store: case_view(store, session.key, name, mapped=mapped)
        )
    except BeingFolded as error:
        return waits(request, session, error)
    lines = [inspected.log.line(one.episode) for one in found.effect.to[:_HITS]]
    return page(
        request,
        "memory_case.html",
        session,
        v=found,
        mapped=mapped,
        title_of=title_of,
        goals={line.id: line.goal for line in lines if line is not None},
        **await _moment(inspected, as_of),
    )


def waits(request: Request, session: Session, error: BeingFolded) -> Response:
    """Return the page that says what is being done, and looks again by itself."""
    again = f"{request.scope['path']}?{request.scope['query_string'].decode()}"
    return page(request, "memory_waits.html", session, 202, said=str(error), again=again)


def case_view(store: Store, key: Key, name: str, *, mapped: bool = True) -> CaseView:
    """Return a case that a key may see, by its id or that of its episode; with its neighbours if `mapped`.

    Raises:
        UnknownCase: There is none.
    """
    found = owned_case(store, key, name)
    return view_of(store, found, spaces_of(store, key.owns)[:50] if mapped else [])


def owned_case(store: Store, key: Key, name: str) -> MemoryRecord:
    """Return a case that a key may see, by its id or that of its episode.

    Raises:
        UnknownCase: There is none.
    """
    return held_named(store, name, key.owns)


def _searched(
    store: Store,
    inspected: Inspected,
    key: Key,
    text: str,
    grain: str,
    chosen: dict[str, str],
    shown: CasePage,
) -> tuple[list[FoundCase], WouldRecall | None]:
    """Return what is like a text among what is chosen, and what an agent would be told of it."""
    config = inspected.config.retriever
    envs = [chosen["env"]] if chosen["env"] else [one.value for one in shown.facets["env"]]
    spaces = [chosen["namespace"]] if chosen["namespace"] else spaces_of(store, key.owns)
    spaces = [space for space in spaces if key.owns(space)]
    found = search(store, config, text, record=GRAINS[grain], envs=envs[:_ENVS], spaces=spaces)
    fits = [
        one
        for one in found
        if chosen["family"] in ("", one.case.family)
        and chosen["source"] in ("", getattr(one.case, "source", ""))
        and chosen["trust"] in ("", store.trust(one.case))
        and _by_hand(one.case, store, chosen["hand"])
    ][:_HITS]
    if grain == "steps" or not fits:
        return fits, None
    namespace = chosen["namespace"] or key.namespace
    return fits, would_recall(store, config, text, env=fits[0].case.env, namespace=namespace)


def _by_hand(case: MemoryRecord, store: Store, hand: str) -> bool:
    return ("edited" not in hand or bool(case.edited)) and (
        "pinned" not in hand or case.episode in store.pinned
    )


async def _looked(inspected: Inspected, as_of: int | None, work: Callable[[Store], T]) -> T:
    """Look at the store as it is, or as it was."""
    if as_of is None:
        return await inspected.look(work)
    forgotten = await inspected.look(lambda store: len(store.fold.tombstones))
    return await asyncio.to_thread(lambda: inspected.past.look(as_of, forgotten, work))


async def _moment(inspected: Inspected, as_of: int | None) -> dict[str, Any]:
    """Return what the slider over the ledger shows."""

    def at(store: Store) -> tuple[int, float]:
        head = store.ledger.head()
        row = head if as_of is None else min(max(as_of, 1), head)
        found = next(iter(store.ledger.read(after=row - 1, until=row)), None)
        return head, found.at if found is not None else time.time()

    head, when = await inspected.look(at)
    return {"as_of": as_of, "head": head, "moment": when}
