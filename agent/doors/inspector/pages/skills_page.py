"""The library, to be looked at: its shelves, one skill, what changed it."""

import re
from typing import Annotated, get_args

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from .....envs.registry import names
from .....memory.credit.past_calls import costs
from .....skills.errors import UnknownSkill
from .....skills.git_store import Revision
from .....skills.library import SHELVES, Shelf
from .....skills.skill_retriever import SkillHit
from .....skills.types import Skill
from .....skills.versions import changed, changed_by
from .....skills.views import Figures, SkillRow
from ....skill_actions.open_library import OpenLibrary
from ..look.call_chart import CallChart, call_chart
from ..look.rendering import page
from ..seen.skill_seen import SkillSeen, not_taken, skill_seen, worth
from .callers import LARGEST, Sitting, TheInspected
from .skill_callers import TheBench, may_edit_library

router = APIRouter(prefix="/skills")
MOST = 100
"""Rows of a page."""
_CALLS = 20
"""Past calls that a skill's page lists."""
_HEX = re.compile(r"[0-9a-f]{4,40}")


@router.get("")
async def skills(
    request: Request,
    session: Sitting,
    inspected: TheInspected,
    bench: TheBench,
    shelf: str = "skills",
    q: str = "",
    env: str = "",
    view: str = "",
    part: Annotated[int, Query(ge=0, le=LARGEST, alias="page")] = 0,
) -> Response:
    """List a shelf; `q` searches it as the agent does; `view=graph`: who calls whom."""
    if not inspected.has_library:
        return page(
            request,
            "skills_none.html",
            session,
            edits=may_edit_library(session),
            envs=names(),
        )
    here: Shelf = next((s for s in SHELVES if s == shelf), "skills")

    def found(
        opened: OpenLibrary,
    ) -> tuple[list[SkillRow], Figures, dict[str, str], dict[Shelf, int], list[str]]:
        rows, library = opened.workshop.rows(here), opened.library
        broken = dict(library.broken)
        known = {row.name for row in rows} | broken.keys()
        if here == "skills":
            by_hand = "its folder was put there by hand and was not tested yet"
            broken |= {name: by_hand for name in library.edited() if name not in known}
        counts = {s: len(library.repository.folders(s)) for s in SHELVES}
        refused = [n for n, s in library.all("drafts").items() if library.refused(s)]
        return rows, opened.workshop.figures(), broken, counts, refused

    def charted(opened: OpenLibrary) -> CallChart:
        return call_chart(opened.library.all())

    def scored(_: OpenLibrary) -> list[tuple[SkillHit, bool]]:
        return bench.shelf.scored(q, env=env, k=MOST)

    rows, figures, broken, counts, refused = await inspected.skills(found)
    envs = sorted({row.env for row in rows if row.env})
    hits: dict[str, tuple[SkillHit, bool]] = {}
    if q and here == "skills":
        hits = {
            hit.skill.partition("@")[0]: (hit, up) for hit, up in await inspected.skills(scored)
        }
        by_name = {row.name: row for row in rows}
        rows = [by_name[name] for name in hits if name in by_name]
    elif q:
        said = q.casefold().split()
        rows = [
            row
            for row in rows
            if all(word in f"{row.name} {row.description}".casefold() for word in said)
        ]
    rows = [row for row in rows if env in ("", row.env)]
    first = part * MOST
    ids = [f"{row.name}@{row.version}" for row in rows[first : first + MOST]]
    uses = await inspected.look(lambda store: {id: store.fold.uses.total(id) for id in ids})
    return page(
        request,
        "skills.html",
        session,
        rows=rows[first : first + MOST],
        total=len(rows),
        next=part + 1 if len(rows) > first + MOST else None,
        hits=hits,
        uses=uses,
        shelf=here,
        counts=counts,
        figures=figures,
        broken=broken,
        refused=refused,
        envs=envs,
        registered=names(),
        chart=await inspected.skills(charted) if view == "graph" else None,
        edits=may_edit_library(session),
    )


@router.get("/-/history")
async def history(
    request: Request,
    session: Sitting,
    inspected: TheInspected,
    bench: TheBench,
    part: Annotated[int, Query(ge=0, le=LARGEST, alias="page")] = 0,
) -> Response:
    """List the commits of the library, the newest first."""
    log = (
        await inspected.skills(lambda opened: bench.log(opened.library))
        if inspected.has_library
        else []
    )
    first = part * MOST
    return page(
        request,
        "skill_history.html",
        session,
        log=log[first : first + MOST],
        total=len(log),
        next=part + 1 if len(log) > first + MOST else None,
        edits=may_edit_library(session),
    )


@router.get("/-/history/{commit}")
async def one_commit(
    request: Request, session: Sitting, inspected: TheInspected, bench: TheBench, commit: str
) -> Response:
    """Show what one commit changed."""

    def found(opened: OpenLibrary) -> tuple[Revision, str]:
        log = bench.log(opened.library)
        found = [i for i, revision in enumerate(log) if revision.commit.startswith(commit)]
        if len(found) != 1:
            raise UnknownSkill(f"{len(found)} commits of the library begin with {commit!r}")
        at = found[0]
        before = log[at + 1].commit if at + 1 < len(log) else ""
        return log[at], changed_by(opened.library, log[at], before)

    if not inspected.has_library or not _HEX.fullmatch(commit):
        raise UnknownSkill(f"there is no commit {commit[:40]!r}")
    revision, difference = await inspected.skills(found)
    return page(
        request,
        "skill_commit.html",
        session,
        r=revision,
        difference=difference,
        skills=sorted({p.split("/")[1] for p in revision.paths if p.startswith("skills/")}),
        edits=may_edit_library(session),
    )


@router.get("/{name}")
async def one(
    request: Request,
    session: Sitting,
    inspected: TheInspected,
    bench: TheBench,
    name: str,
    shelf: str = "",
    old: str = "",
    new: str = "",
) -> Response:
    """Show one skill, `NAME` or `NAME@VERSION`; `old` and `new`: the difference of two versions."""
    if not inspected.has_library:
        raise UnknownSkill(f"there is no skill {name[:80]!r}: there is no library here")

    def found(opened: OpenLibrary) -> SkillSeen:
        return skill_seen(opened.library, bench.log(opened.library), name, shelf)

    s: SkillSeen = await inspected.skills(found)
    difference = ""
    if old:
        difference = await inspected.skills(
            lambda opened: changed(opened.library, s.name, old, new) or "No difference."
        )
    calls = [
        call
        for call in bench.calls(s.name)
        if (line := inspected.log.line(call.episode)) is not None
        and session.key.owns(line.namespace)
    ]
    called = {call.episode for call in calls}
    left = await inspected.look(lambda store: not_taken(store, s.name, called))
    lines = [(one, inspected.log.line(one.episode)) for one in left]
    return page(
        request,
        "skill.html",
        session,
        s=s,
        is_old=s.skill is not None and "@" in name and _older(s, s.skill),
        worth=await inspected.look(lambda store: worth(store, s.name)),
        calls=calls[:_CALLS],
        called=len(calls),
        costs=costs(calls),
        left=[
            (o, line) for o, line in lines if line is not None and session.key.owns(line.namespace)
        ][:_CALLS],
        difference=difference,
        jobs=bench.jobs.latest(s.name)[:3],
        shelves=get_args(Shelf),
        edits=may_edit_library(session),
    )


def _older(seen: SkillSeen, skill: Skill) -> bool:
    return bool(seen.versions) and skill.contract.version != seen.versions[0][0].contract.version
