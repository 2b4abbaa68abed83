"""Writing a skill: the editor, saving it through the gate, and what two editors at once are shown."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from .....envs.errors import LichenError, UnknownName
from .....envs.registry import names
from .....skills import folder
from .....skills.admission import Verdict
from .....skills.errors import UnknownSkill
from .....skills.git_store import Revision
from .....skills.library import Shelf
from .....skills.text_difference import difference
from .....skills.types import Skill
from ....skill_actions.open_library import OpenLibrary
from ..access.signing_in import Session
from ..look.rendering import page
from ..seen.inspected import Inspected
from ..seen.library_jobs import Job
from ..seen.skill_bench import SkillBench
from ..seen.skill_form import SkillForm
from .callers import Sitting, TheInspected, to
from .skill_callers import TheAuthor, TheBench, may_edit_library

router = APIRouter(prefix="/skills")


@dataclass(frozen=True)
class _Edited:
    """What the editor begins with."""

    skill: Skill
    shelf: Shelf
    head: str
    refused: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Conflict:
    """What somebody else did meanwhile."""

    theirs: Skill | None
    """None: it is gone."""
    by: Revision | None
    difference: str
    """From theirs to what was typed here."""


@router.post("/-/new")
async def new(
    request: Request,
    author: TheAuthor,
    bench: TheBench,
    name: Annotated[str, Form()] = "",
    env: Annotated[str, Form()] = "",
) -> Response:
    """Write the draft of a new skill, to be edited."""
    if env not in names():
        raise UnknownName("environment", env, names())
    made = await bench.act(author, lambda opened: opened.workshop.draft(name.strip(), env))
    return to(request, f"skills/{made.name}/edit")


@router.get("/{name}/edit")
async def edit(
    request: Request, session: Sitting, inspected: TheInspected, bench: TheBench, name: str
) -> Response:
    """Show the editor: of a skill's draft where there is one, else of the skill."""
    begun = await _begun(inspected, name)
    return _editor(request, session, begun, SkillForm.of(begun.skill), begun.head)


@router.post("/{name}/edit")
async def save(
    request: Request,
    session: Sitting,
    author: TheAuthor,
    inspected: TheInspected,
    bench: TheBench,
    name: str,
    base: Annotated[str, Form()] = "",
) -> Response:
    """Put what was typed through the gate, as a job; a page says what is wrong, and keeps what was typed."""
    form = SkillForm.read(dict(await request.form()))
    try:
        begun = await _begun(inspected, name)
    except UnknownSkill:
        begun = await _begun(inspected, name, base)  # it went meanwhile: what was typed is kept
    try:
        skill = form.skill(begun.skill)
    except LichenError as error:
        return _editor(request, session, begun, form, base, status=422, said=str(error))
    conflict = await inspected.skills(lambda opened: _conflict(opened, bench, skill, base))
    if conflict is not None:
        return _editor(request, session, begun, form, begun.head, status=409, conflict=conflict)
    job = Job(f"Save {name}", name, author, kept=skill, saves=f"skill-{name}")

    def work(opened: OpenLibrary, _: Job) -> Verdict:
        return opened.workshop.edit(skill, base)

    return to(request, f"skills/-/jobs/{bench.jobs.start(job, work).id}")


@router.get("/-/jobs/{job}/text")
async def text(
    request: Request, session: Sitting, inspected: TheInspected, bench: TheBench, job: str
) -> Response:
    """Show what a job was to save in the editor again, and what changed meanwhile."""
    found = bench.jobs.find(job)
    if found.kept is None:
        raise UnknownSkill("nothing was typed for this")
    kept = found.kept
    begun = await _begun(inspected, kept.name)
    conflict = None
    if found.conflict:
        conflict = await inspected.skills(lambda opened: _theirs(opened, bench, kept))
    status = 409 if conflict is not None else 200
    return _editor(
        request, session, begun, SkillForm.of(kept), begun.head, status=status, conflict=conflict
    )


async def _begun(inspected: Inspected, name: str, commit: str = "") -> _Edited:
    """Return what the editor begins with; `commit`: as it was then, where it is gone since."""

    def found(opened: OpenLibrary) -> _Edited:
        library = opened.library
        head = library.repository.head()  # first: what is read is at least as new
        if commit:
            for shelf in ("drafts", "skills", "proposals", "quarantine"):
                old = library.all(shelf, commit).get(name)
                if old is not None:
                    return _Edited(library.undrafted(old), shelf, head)
        drafts = library.all("drafts")
        if name in drafts:
            draft = drafts[name]
            return _Edited(library.undrafted(draft), "drafts", head, library.refused(draft))
        skill, shelf = opened.workshop.find(name)
        return _Edited(library.undrafted(skill), shelf, head)

    if not inspected.has_library:
        raise UnknownSkill(f"there is no skill {name[:80]!r}: there is no library here")
    return await inspected.skills(found)


def _conflict(opened: OpenLibrary, bench: SkillBench, mine: Skill, base: str) -> _Conflict | None:
    if not opened.library.changed_since(mine.name, base):
        return None
    return _theirs(opened, bench, mine)


def _theirs(opened: OpenLibrary, bench: SkillBench, mine: Skill) -> _Conflict:
    library = opened.library
    drafts = library.all("drafts")
    theirs = drafts.get(mine.name)
    if theirs is None and library.where(mine.name) is not None:
        theirs = library.get(mine.name, library.where(mine.name) or "skills")
    place = f"/{mine.name}/"
    by = next((r for r in bench.log(library) if any(place in path for path in r.paths)), None)
    now = folder.write(library.undrafted(theirs)) if theirs is not None else {}
    typed = folder.write(mine)
    for files in (now, typed):
        files.pop(folder.LOCK, None)
    return _Conflict(theirs, by, difference(now, typed, "theirs", "yours"))


def _editor(
    request: Request,
    session: Session,
    begun: _Edited,
    form: SkillForm,
    base: str,
    *,
    status: int = 200,
    **more: Any,
) -> Response:
    return page(
        request,
        "skill_edit.html",
        session,
        status,
        b=begun,
        form=form,
        base=base,
        said=more.get("said", ""),
        conflict=more.get("conflict"),
        edits=may_edit_library(session),
    )
