"""One skill as a page shows it: where it lies, what it was, who calls it, what it is worth."""

from dataclasses import dataclass

from .....envs.types import Record
from .....memory.credit.credit import Uplift
from .....memory.store.store import Store
from .....skills.call_graph import callees, callers, dependents
from .....skills.errors import BadSkill, UnknownSkill
from .....skills.git_store import Revision
from .....skills.library import SHELVES, Library, Shelf
from .....skills.types import Skill, split_id
from .....skills.versions import changed, versions


@dataclass(frozen=True)
class SkillSeen:
    """A skill."""

    name: str
    skill: Skill | None
    """None: its folder cannot be read."""
    shelf: Shelf
    shelves: tuple[Shelf, ...]
    """All that have something of this name."""
    problem: str
    """Why it cannot be read, or is not callable; empty: it is sound."""
    refused: tuple[str, ...]
    """Of a draft: why it was refused."""
    pinned: bool
    edited: str
    """What was changed by hand and not tested yet, as a difference; empty: nothing."""
    files: dict[str, str]
    """What its folder holds beside SKILL.md, code, contract and tests; all where it cannot be read."""
    calls: tuple[str, ...]
    called_by: tuple[str, ...]
    dependents: tuple[tuple[str, ...], ...]
    versions: tuple[tuple[Skill, Revision], ...]
    tombstone: str
    """Why it was retired; empty: it was not."""
    head: str
    """The library's last commit."""


class WorthLine(Record):
    """What one version was with one model."""

    skill: str
    llm: str
    offered: int
    called: int
    succeeded: int
    failed: int
    unknown: int
    uplift: Uplift


class NotTaken(Record):
    """Where it was offered and not called."""

    episode: str
    skill: str
    score: float


def skill_seen(library: Library, log: list[Revision], name: str, shelf: str = "") -> SkillSeen:
    """Return a skill as it is, or as a version of it was.

    Args:
        library: Where it is.
        log: Of the library, newest first.
        name: `name` or `name@version`.
        shelf: Which of the shelves that have it; empty: the first.

    Raises:
        UnknownSkill: Nothing has this name.
    """
    plain, version = split_id(name)
    head = library.repository.head()
    on_disk = plain in library.edited()
    shelves = tuple(s for s in SHELVES if plain in library.repository.folders(s))
    here: Shelf = next((s for s in shelves if s == shelf), shelves[0] if shelves else "skills")
    skill, problem = None, ""
    try:
        skill = library.get(name, here)
    except BadSkill as error:
        problem = str(error)
    except UnknownSkill:
        if not on_disk:
            raise
        problem = "its folder was put there by hand and was not tested yet"
    skills = library.all()
    stones = [stone for stone in library.tombstones() if stone.name == plain]
    admitted = plain in skills
    return SkillSeen(
        name=plain,
        skill=skill,
        shelf=here,
        shelves=shelves,
        problem=problem,
        refused=library.refused(skill) if skill is not None and here == "drafts" else (),
        pinned=plain in library.pins(),
        edited=_by_hand(library, plain) if on_disk and here == "skills" and version is None else "",
        files={
            path: file.shown
            for path, file in (
                library.undrafted(skill).files
                if skill is not None
                else library.repository.files(f"{here}/{plain}")
            ).items()
        },
        calls=tuple(sorted(callees(skill))) if skill is not None and skill.runnable else (),
        called_by=tuple(sorted(callers(skills.values()).get(plain, ()))),
        dependents=tuple(dependents(skills, plain)) if admitted else (),
        versions=tuple(versions(library, plain, log)),
        tombstone=stones[-1].reason if stones else "",
        head=head,
    )


def worth(store: Store, name: str) -> list[WorthLine]:
    """Return what each version of a skill was with each model, the newest version first."""
    uses = store.fold.uses
    found = [use for use in uses.counts.values() if split_id(use.skill)[0] == name]
    lines = [
        WorthLine(
            skill=use.skill,
            llm=use.llm,
            offered=use.exposed,
            called=use.called,
            succeeded=use.succeeded,
            failed=use.failed,
            unknown=use.unknown,
            uplift=uses.uplift(use.skill, use.llm),
        )
        for use in found
    ]
    return sorted(lines, key=lambda line: (-(split_id(line.skill)[1] or 0), line.llm))


def not_taken(store: Store, name: str, called: set[str], most: int = 200) -> list[NotTaken]:
    """Return the latest ended episodes in which a skill was offered and not called, the latest first.

    Args:
        store: With what it was offered in.
        name: Of the skill.
        called: Episodes in which it was called.
        most: How many at most.
    """
    found: list[NotTaken] = []
    for one in reversed(store.fold.uses.observed):
        if one.episode in called:
            continue
        offered = next(
            (e.item for e in one.exposures if e.exposed and split_id(_skill(e.item))[0] == name), ""
        )
        if offered:
            found.append(NotTaken(episode=one.episode, skill=_skill(offered), score=one.outcome))
            if len(found) == most:
                break
    return found


def _skill(item: str) -> str:
    return item.partition("|")[0]


def _by_hand(library: Library, name: str) -> str:
    try:
        return changed(library, name) or "its files are not what was committed"
    except BadSkill as error:
        return f"its folder cannot be read: {error}"
