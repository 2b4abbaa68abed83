"""What a person says of a skill: approve, reject, try, test, pin, take out, bring back; and how it goes."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response, StreamingResponse

from .....envs.errors import UsageError
from .....skills.dry_run import DryRun
from .....skills.trial import TestResult
from .....skills.typed_value import typed_value
from .....skills.types import Skill, split_id
from ....skill_actions.open_library import OpenLibrary
from ..look.rendering import page
from ..seen.library_jobs import Job, Work
from .callers import Sitting, TheInspected, to
from .skill_callers import TheAuthor, TheBench, may_edit_library

router = APIRouter(prefix="/skills")
POLL = 0.2
"""Seconds after which a job is looked at again for a live page."""
_WHY = "a person decided it on the page"


@router.get("/-/jobs/{job}")
async def one(request: Request, session: Sitting, bench: TheBench, job: str) -> Response:
    """Show a job: what was tested so far, and what came of it."""
    found = bench.jobs.find(job)
    return page(request, "skill_job.html", session, j=found, edits=may_edit_library(session))


@router.get("/-/jobs/{job}/stream")
async def stream(session: Sitting, bench: TheBench, request: Request, job: str) -> Response:
    """Say whenever something of a job changed, until it is done (server-sent events)."""
    found = bench.jobs.find(job)

    async def told() -> AsyncIterator[str]:
        yield "retry: 1000\n\n"
        seen = -1
        while not (bench.inspected.ending or await request.is_disconnected()):
            done, now = found.done, found.changes
            if now != seen:
                seen = now
                yield f"event: changed\nid: {now}\ndata: {now}\n\n"
            if done:
                yield "event: ended\ndata: -\n\n"
                return
            await asyncio.sleep(POLL)

    return StreamingResponse(told(), media_type="text/event-stream")


@router.post("/-/history/{commit}/undo")
async def undo(
    request: Request,
    author: TheAuthor,
    bench: TheBench,
    commit: str,
    whole: Annotated[str, Form()] = "",
) -> Response:
    """Take back what a commit did, or make the whole library what it was at it, if the tests hold."""
    title = f"Go back to {commit[:8]}" if whole else f"Undo {commit[:8]}"
    return _job(
        request,
        bench,
        title,
        "",
        author,
        lambda opened, _: opened.workshop.undo(commit, to=bool(whole)),
    )


@router.post("/{name}/approve")
async def approve(request: Request, author: TheAuthor, bench: TheBench, name: str) -> Response:
    """Admit what waits under a name, if its tests hold."""
    return _job(
        request,
        bench,
        f"Approve {name}",
        name,
        author,
        lambda opened, _: opened.workshop.approve(name),
    )


@router.post("/{name}/rollback")
async def rollback(
    request: Request,
    author: TheAuthor,
    bench: TheBench,
    name: str,
    when: Annotated[str, Form(alias="to")] = "",
) -> Response:
    """Bring back what a skill was, as a new version, if its tests hold."""
    if not when.strip():
        raise UsageError("say which version or commit to go back to")
    title = f"Roll {name} back to {when[:12]}"
    return _job(
        request,
        bench,
        title,
        name,
        author,
        lambda opened, _: opened.workshop.rollback(name, when.strip()),
    )


@router.post("/{name}/test")
async def test(request: Request, author: TheAuthor, bench: TheBench, name: str) -> Response:
    """Run all tests of a skill as its folder is now; nothing is changed."""

    def work(opened: OpenLibrary, job: Job) -> list[TestResult]:
        return opened.workshop.test(name, job.tested)

    return _job(request, bench, f"Test {name}", name, author, work)


@router.post("/{name}/reject")
async def reject(
    request: Request,
    author: TheAuthor,
    bench: TheBench,
    name: str,
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Refuse what waits under a name for good."""
    await bench.act(author, lambda opened: opened.workshop.reject(name, reason.strip() or _WHY))
    return to(request, f"skills/{name}?shelf=archive")


@router.post("/{name}/quarantine")
async def quarantine(
    request: Request,
    author: TheAuthor,
    bench: TheBench,
    name: str,
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Take a skill, and what depends on it, out of use."""
    await bench.act(author, lambda opened: opened.workshop.quarantine(name, reason.strip() or _WHY))
    return to(request, "skills?shelf=quarantine")


@router.post("/{name}/retire")
async def retire(
    request: Request,
    author: TheAuthor,
    bench: TheBench,
    name: str,
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Archive a skill that nobody calls, so that it is not learned again."""
    await bench.act(author, lambda opened: opened.workshop.retire(name, reason.strip() or _WHY))
    return to(request, f"skills/{name}?shelf=archive")


@router.post("/{name}/pin")
async def pin(
    request: Request,
    author: TheAuthor,
    bench: TheBench,
    name: str,
    on: Annotated[str, Form()] = "",
) -> Response:
    """Pin a skill so that only a person changes it, or let it go."""
    await bench.act(author, lambda opened: opened.workshop.pin(name, on=bool(on)))
    return to(request, f"skills/{name}")


@router.get("/{name}/try")
async def trying(
    request: Request, session: Sitting, inspected: TheInspected, name: str
) -> Response:
    """Show the form of a dry run: a task of its environment, and arguments."""
    skill, shelf = await inspected.skills(lambda opened: opened.workshop.find(name))
    return page(
        request,
        "skill_try.html",
        session,
        skill=skill,
        shelf=shelf,
        tests=sorted(skill.tests, key=lambda test: not test.origin),
        edits=may_edit_library(session),
    )


@router.post("/{name}/try")
async def tried(request: Request, author: TheAuthor, bench: TheBench, name: str) -> Response:
    """Run a skill in the jail against a task, to see what it does; nothing is written."""
    sent = {k: v for k, v in dict(await request.form()).items() if isinstance(v, str)}
    plain, _ = split_id(name)
    task, setup = sent.get("task", "").strip(), sent.get("setup", "").splitlines()
    if not task:
        raise UsageError("say which task to run it on")

    def work(opened: OpenLibrary, job: Job) -> DryRun:
        skill, _ = opened.workshop.find(name)
        return opened.workshop.try_out(
            name,
            task,
            _arguments(skill, sent),
            setup=[line for line in setup if line.strip()],
            seed=typed_value(sent.get("seed") or "0", "int", "the seed"),
            on_step=job.stepped,
        )

    return _job(request, bench, f"Dry run of {name}", plain, author, work)


def _arguments(skill: Skill, sent: dict[str, str]) -> dict[str, bool | int | float | str]:
    found = {}
    for name, parameter in skill.contract.parameters.items():
        text = sent.get(f"argument-{name}", "")
        if text.strip():
            found[name] = typed_value(text, parameter.type, f"the argument {name!r}")
    return found


def _job(
    request: Request, bench: TheBench, title: str, name: str, author: str, work: Work
) -> Response:
    job = bench.jobs.start(Job(title, name, author), work)
    return to(request, f"skills/-/jobs/{job.id}")
