"""What a skill was: at a version, at a commit; and the difference between two such times."""

from collections.abc import Sequence

from ..skills import folder
from .errors import UnknownSkill
from .folder_on_disk import read_files
from .git_store import Revision
from .library import Library
from .text_difference import difference
from .types import Skill


def skill_at(library: Library, name: str, when: str = "") -> Skill:
    """Return an admitted skill as it was.

    Args:
        library: Where it is.
        name: Without a version.
        when: A version (`2`) or the beginning of a commit (at least four digits); empty: now.

    Raises:
        UnknownSkill: It was not there then.
    """
    if not when:
        return library.get(name)
    if when.isdecimal() and len(when) < 4:
        return library.get(f"{name}@{when}")
    at = library.all("skills", library.repository.commit_named(when))
    if name not in at:
        raise UnknownSkill(f"there was no skill {name!r} at {when}")
    return at[name]


def changed(library: Library, name: str, old: str = "", new: str = "") -> str:
    """Return the difference of an admitted skill between two times; without them, what was edited by hand.

    Args:
        library: Where it is.
        name: Without a version.
        old: See `skill_at`.
        new: See `skill_at`; empty: now.

    Raises:
        UnknownSkill: It was not there then.
    """
    if not old:
        committed = library.repository.files(f"skills/{name}")
        now = read_files(library.root / "skills" / name)
        return difference(committed, now, "library", "disk")
    was, is_now = (folder.write(skill_at(library, name, when)) for when in (old, new))
    return difference(was, is_now, old, new or "last")


def changed_by(library: Library, commit: str, before: str) -> str:
    """Return what one commit changed, as a difference of files.

    Args:
        library: Where it is.
        commit: Forty digits.
        before: The one before it; empty: it was the first.
    """
    was = library.repository.files("", before) if before else {}
    now = library.repository.files("", commit)
    paths = {path for path in was.keys() | now.keys() if was.get(path) != now.get(path)}
    return difference(
        {path: file for path, file in was.items() if path in paths},
        {path: file for path, file in now.items() if path in paths},
        before[:8] or "nothing",
        commit[:8],
    )


def versions(library: Library, name: str, log: Sequence[Revision]) -> list[tuple[Skill, Revision]]:
    """Return every version that a skill had, the newest first, each with the commit by which it came.

    Args:
        library: Where it is.
        name: Without a version.
        log: The library's history, newest first.
    """
    found: dict[int, tuple[Skill, Revision]] = {}
    place = f"skills/{name}/"
    for revision in log:
        if any(path.startswith(place) for path in revision.paths):
            skill = library.all("skills", revision.commit).get(name)
            if skill is not None:  # the oldest commit of a version is seen last
                found[skill.contract.version] = (skill, revision)
    return [found[version] for version in sorted(found, reverse=True)]
