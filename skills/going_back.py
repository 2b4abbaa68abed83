"""Taking a commit of the library back, or making the library what it was at one; tested like any other change.

Whatever comes back gets a version of its own, so that `name@version` always means one thing; what did not
exist then goes to the archive, without a tombstone.
"""

from collections.abc import Mapping

from .admission import Admission, Verdict
from .call_graph import callees, ordered
from .errors import SkillChanged, UnknownSkill
from .library import SHELVES, Library, Shelf
from .lint import check, repinned
from .trial import TestResult
from .types import Skill, split_id

Names = Mapping[str, Skill | None]
"""What each skill is to be; None: it is to be in the library no more."""


def take_commit_back(admission: Admission, commit: str, author: str) -> Verdict:
    """Undo what one commit did to the admitted skills; what came after it, to other skills, stays.

    Raises:
        UnknownSkill: There is no such commit, or it changed no admitted skill.
        SkillChanged: A skill that it changed was changed again since.
    """
    library = admission.library
    with library.lock():
        log = library.history()
        whole = library.repository.commit_named(commit)
        at = next(i for i, revision in enumerate(log) if revision.commit == whole)
        before = log[at + 1].commit if at + 1 < len(log) else ""
        then = library.all("skills", before) if before else {}
        after, now = library.all("skills", whole), library.all()
        touched = {
            name
            for name in then.keys() | after.keys()
            if _said(then.get(name)) != _said(after.get(name))
        }
        if not touched:
            raise UnknownSkill(
                f"the commit {whole[:8]} changed no skill of the library",
                hint="Drafts and proposals are rejected, pins are let go: by their own commands.",
            )
        if late := sorted(n for n in touched if _said(after.get(n)) != _said(now.get(n))):
            raise SkillChanged(
                f"{', '.join(late)} was changed again after {whole[:8]}",
                hint="Roll each back by itself, or make the whole library what it was: `--to`.",
            )
        wanted = {name: then.get(name) for name in touched}
        return _bring_back(admission, wanted, f"Undo {whole[:8]}: {log[at].message}", author)


def go_back(admission: Admission, commit: str, author: str) -> Verdict:
    """Make all admitted skills what they were at a commit.

    Raises:
        UnknownSkill: There is no such commit.
    """
    library = admission.library
    with library.lock():
        whole = library.repository.commit_named(commit)
        then, now = library.all("skills", whole), library.all()
        wanted = {
            name: then.get(name)
            for name in then.keys() | now.keys()
            if _said(then.get(name)) != _said(now.get(name))
        }
        return _bring_back(admission, wanted, f"Go back to {whole[:8]}", author)


def _bring_back(admission: Admission, wanted: Names, message: str, author: str) -> Verdict:
    """Put skills in the place of others, all or none; the caller holds the lock."""
    library = admission.library
    now = library.all()
    gone = [now[name] for name, skill in wanted.items() if skill is None and name in now]
    back = {name: skill for name, skill in wanted.items() if skill is not None}
    if not gone and not back:
        return Verdict(
            skill=message, outcome="success", shelf="skills", reasons=("nothing changed",)
        )
    out = {skill.name for skill in gone}
    staged = {name: skill for name, skill in now.items() if name not in out} | back
    changed: dict[str, Skill] = {}
    ran: list[TestResult] = []
    for name in ordered(staged):  # callees first, so that callers are pinned to what comes back
        skill = staged[name]
        if lost := sorted(callees(skill) & out):
            return _no(skill, f"{skill.id} calls {', '.join(lost)}, which did not exist then", ran)
        if name not in back and not callees(skill) & changed.keys():
            continue
        pins = {n: s.contract.version for n, s in staged.items()}
        version = library.last_version(name) + 1
        contract = skill.contract.model_copy(update={"version": version})
        skill = skill.model_copy(update={"contract": contract, "code": repinned(skill.code, pins)})
        staged[name] = changed[name] = skill
        if skill.runnable:
            if wrong := check(skill):
                return _no(skill, wrong[0], ran)
            ran += admission.run(skill, staged)
            if ran and ran[-1].outcome != "success":
                last = ran[-1]
                return _no(skill, f"{last.skill} fails its test {last.test}: {last.reason}", ran)
    commit = library.put(
        list(changed.values()),
        message=message,
        author=author,
        away=[
            *(("skills", name) for name in sorted(out)),
            *_elsewhere(library, list(changed)),
        ],
        archived=gone,
    )
    stones = {stone.name for stone in library.tombstones()}
    for name in sorted(back.keys() & stones):
        library.unbury(name, author=author)
    return Verdict(
        skill=message,
        outcome="success",
        shelf="skills",
        reasons=tuple(f"{skill.id} is in the archive" for skill in gone),
        tests=tuple(ran),
        repinned=tuple(skill.id for skill in changed.values()),
        commit=commit,
    )


def _no(skill: Skill, why: str, ran: list[TestResult]) -> Verdict:
    unknown = bool(ran) and ran[-1].outcome == "unknown"
    return Verdict(
        skill=skill.id,
        outcome="unknown" if unknown else "failure",
        shelf=None,
        reasons=(why,),
        tests=tuple(ran),
    )


def _elsewhere(library: Library, names: list[str]) -> list[tuple[Shelf, str]]:
    """Return where else these lie: quarantined, archived; a draft or a proposal of a name stays."""
    return [
        (shelf, name)
        for shelf in SHELVES
        if shelf in ("quarantine", "archive")
        for name in names
        if name in library.repository.folders(shelf)
    ]


def _said(skill: Skill | None) -> str:
    """Return what a skill is, blind to its version and to the versions that it calls."""
    if skill is None:
        return ""
    bare = skill.contract.model_copy(update={"version": 1})
    code = repinned(skill.code, {split_id(name)[0]: 1 for name in callees(skill)})
    return skill.model_copy(update={"contract": bare, "code": code, "came": {}}).model_dump_json()
