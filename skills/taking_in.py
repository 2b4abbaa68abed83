"""Taking in a skill's folder from somewhere else, and instructions, which nothing has to test."""

from pathlib import Path

from ..envs.secrets import secret_in
from ..memory.ledger.content_id import content_id
from ..skills import folder
from .admission import Verdict
from .errors import BadSkill
from .folder_on_disk import read_files
from .library import SHELVES, Library
from .lint import fingerprint
from .standard import deviations_of
from .types import Skill


def taken_in(source: Path, library: Library) -> tuple[Skill, tuple[str, ...]]:
    """Return the skill in a folder, and one sentence for each thing in it that is no part of a skill.

    What its head says otherwise than the standard is told too, and kept.

    Raises:
        BadSkill: It is no skill, holds a secret where none can be left out, or was retired here.
    """
    source, left_out = source.resolve(), list[str]()
    skill = folder.parse(source.name, files := read_files(source, left_out))
    left_out += [
        f"{source.name}/{folder.MARKDOWN}: {said}; it is kept, and some readers refuse it"
        for said in deviations_of(files[folder.MARKDOWN].text, source.name)
    ]
    for path, content in {**skill.files, **skill.came}.items():
        if secret := secret_in(content.data):
            raise BadSkill(
                f"{skill.name}/{path} holds {secret}; a library is there to be shared",
                hint="Take it out of that line, or write EXAMPLE into it where it is none; then import again.",
            )
    for old in library.tombstones():
        if old.name == skill.name or old.fingerprint == mark_of(skill):
            raise BadSkill(
                f"{skill.name} was retired as {old.name}: {old.reason}",
                hint=f"`lichen skills approve {old.name}` brings back what was retired.",
            )
    if not skill.runnable and skill.name in library.all():
        raise BadSkill(f"there is a skill {skill.name} already; rename the folder and its SKILL.md")
    return skill, tuple(left_out)


def keep_instructions(skill: Skill, library: Library, *, author: str, what: str) -> Verdict:
    """Put instructions on the library's shelf, where they are read and not called.

    Args:
        skill: Without code.
        library: Where to.
        author: Of the commit.
        what: Its first word.
    """
    with library.lock():
        library.unbury(skill.name, author=author)
        commit = library.put(
            [skill],
            message=f"{what} {skill.name} (instructions)",
            author=author,
            away=[
                (s, skill.name) for s in SHELVES[1:] if skill.name in library.repository.folders(s)
            ],
        )
    return Verdict(skill=skill.id, outcome="success", shelf="skills", commit=commit)


def mark_of(skill: Skill) -> str:
    """Return what a skill is known by whatever its name is: its code, else its instructions."""
    if skill.runnable:
        return fingerprint(skill.code)
    parts = [text for path, file in sorted(skill.files.items()) for text in (path, file.data.hex())]
    return content_id("instructions", skill.body, *parts)
