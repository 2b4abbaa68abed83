"""The library: skills on shelves, in a git repository. What is on `skills/` is what the agent may call.

It stores and finds; whether a skill deserves its place is admission's matter (`admission`).
"""

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal

from ..envs.errors import UnknownName
from ..envs.plain_yaml import plain_yaml, written_yaml
from ..envs.types import Record
from ..skills import folder
from .errors import BadSkill, UnknownSkill
from .file_content import FileContent, of_text
from .git_store import Revision
from .repository import Repository
from .text_difference import difference
from .types import Skill, split_id

Shelf = Literal["skills", "proposals", "drafts", "quarantine", "archive"]
SHELVES: tuple[Shelf, ...] = ("skills", "proposals", "drafts", "quarantine", "archive")
"""Admitted; waiting for a person; refused by admission; taken out until someone decides; retired."""
_PINS = "pins.yaml"
_REFUSED = ".lichen/refused.yaml"
"""Of a draft: why; a place that no imported folder has (see `left_out`)."""
_log = logging.getLogger(__name__)


class Tombstone(Record):
    """What is left of a retired skill, so that it is not learned again."""

    name: str
    fingerprint: str
    """See `lint.fingerprint`: blind to names and layout."""
    reason: str
    """Why it was retired: a counter-example, a person's word."""
    version: int = 0
    """The last it had."""


class Library:
    """Skills by name, with their history.

    Args:
        root: Folder of the library; made when it is not there.
        clock: Seconds since 1970, for commits.

    Raises:
        LibraryUnwritable: The folder cannot be made.
    """

    def __init__(self, root: Path, *, clock: Callable[[], float] = time.time) -> None:
        self.root = root
        self.repository = Repository(root, clock)
        self._parsed: dict[str, Skill] = {}
        self._told: set[str] = set()
        self.broken: dict[str, str] = {}
        """Folders of the last reading that are no sound skills, and why."""

    def lock(self) -> AbstractContextManager[None]:
        """Hold the library for a change that has several steps."""
        return self.repository.lock()

    def all(self, shelf: Shelf = "skills", commit: str | None = None) -> dict[str, Skill]:
        """Return the skills of a shelf by name, sorted, as they were committed (last, or as of a commit).

        A folder that is no skill, or whose files are not those its lock was made of (someone committed past
        admission), is left out, said once, and named in `broken`.
        """
        found = {}
        if commit is None:
            self.broken = {}
        for name, tree in self.repository.folders(shelf, commit).items():
            key = f"{shelf}/{name}@{tree}"
            if key not in self._parsed:
                try:
                    files = self.repository.files(f"{shelf}/{name}", commit)
                    skill = folder.parse(name, files)
                    if shelf == "skills" and not folder.is_locked(skill, files):
                        raise BadSkill(
                            f"{name} was changed past admission: `lichen skills approve {name}` tests it"
                        )
                except BadSkill as error:
                    if key not in self._told:
                        _log.warning("%s", error)
                    self._told.add(key)
                    if commit is None:
                        self.broken[name] = str(error)
                    continue
                self._parsed[key] = skill
            found[name] = self._parsed[key]
        return found

    def get(self, name: str, shelf: Shelf = "skills") -> Skill:
        """Return a skill by `name` or, in any version it ever had, by `name@version`.

        Raises:
            UnknownSkill: There is none.
        """
        plain, version = split_id(name)
        here = self.all(shelf)
        if plain in here and version in (None, here[plain].contract.version):
            return here[plain]
        if version is not None:
            for revision in self.history(plain):
                old = self.all("skills", revision.commit).get(plain)
                if old is not None and old.contract.version == version:
                    return old
        if plain in self.broken:
            raise BadSkill(self.broken[plain])
        raise UnknownSkill(str(UnknownName("skill", name, here)))

    def last_version(self, name: str) -> int:
        """Return the highest version that a name ever had in the library, 0 when it had none."""
        found = [t.version for t in self.tombstones() if t.name == name]
        for shelf in ("skills", "quarantine", "archive"):
            skill = self.all(shelf).get(name)
            found += [skill.contract.version] if skill is not None else []
        return max(found, default=0)

    def where(self, name: str) -> Shelf | None:
        """Return the shelf that a skill is on: the first of `SHELVES` that has it."""
        return next((s for s in SHELVES if name in self.repository.folders(s)), None)

    def put(
        self,
        skills: Sequence[Skill],
        *,
        message: str,
        author: str,
        shelf: Shelf = "skills",
        away: Sequence[tuple[Shelf, str]] = (),
        archived: Sequence[Skill] = (),
    ) -> str:
        """Write skills to a shelf and take others away, in one commit; the caller holds the lock.

        A person's edit on disk that it would write over is kept in `.unread`.

        Args:
            skills: To write.
            message: Of the commit.
            author: `agent`, or a person's name.
            shelf: Where to.
            away: (shelf, name) of folders that go in the same commit.
            archived: To write to the archive in the same commit.

        Returns:
            The commit.
        """
        changes: dict[str, FileContent | None] = {}
        for old_shelf, name in away:
            changes |= dict.fromkeys(self._paths(f"{old_shelf}/{name}"))
        for place, skill in [
            *((f"{shelf}/{skill.name}", skill) for skill in skills),
            *((f"archive/{skill.name}", skill) for skill in archived),
        ]:
            changes |= dict.fromkeys(self._paths(place))
            changes |= {f"{place}/{path}": file for path, file in folder.write(skill).items()}
        return self.repository.write(changes, message=message, author=author)

    def _paths(self, place: str) -> list[str]:
        return [f"{place}/{path}" for path in self.repository.files(place)]

    def draft(self, skill: Skill, reasons: Sequence[str], *, author: str) -> str:
        """Keep what admission refused, with the reasons; nothing that someone wrote is lost."""
        said = of_text(written_yaml({"refused": list(reasons)}))
        kept = skill.model_copy(update={"files": {**skill.files, _REFUSED: said}})
        return self.put(
            [kept], message=f"Draft of {skill.name}: refused", author=author, shelf="drafts"
        )

    def undrafted(self, skill: Skill) -> Skill:
        """Return a draft without admission's word on it."""
        return skill.model_copy(
            update={"files": {path: f for path, f in skill.files.items() if path != _REFUSED}}
        )

    def refused(self, skill: Skill) -> tuple[str, ...]:
        """Return why admission refused a draft; empty where it never was tried."""
        said = skill.files.get(_REFUSED)
        try:
            held = plain_yaml(said.text) if said is not None else None
        except ValueError:  # written by hand: UnicodeDecodeError is one
            return ()
        found = held.get("refused") if isinstance(held, dict) else None
        return tuple(map(str, found)) if isinstance(found, list) else ()

    def on_disk(self, name: str, shelf: Shelf = "skills") -> Skill:
        """Return a skill as its folder is now, edits by hand included.

        Raises:
            BadSkill: It is no skill now; the sentence says why.
        """
        return folder.read_skill(self.root / shelf / name)

    def edited(self) -> list[str]:
        """Return the skills whose folder is not what was committed."""
        return self.repository.changed_on_disk("skills")

    def history(self, name: str = "", shelf: Shelf = "skills") -> list[Revision]:
        """Return the commits that changed a skill, or anything, newest first."""
        return self.repository.history(f"{shelf}/{name}" if name else "")

    def diff(self, name: str, old: str, new: str | None = None) -> str:
        """Return the difference of a skill between two commits, or between one and the last."""
        place = f"skills/{name}"
        return difference(
            self.repository.files(place, old),
            self.repository.files(place, new),
            f"{old[:8]}/{name}",
            f"{(new or self.repository.head())[:8]}/{name}",
        )

    def changed_since(self, name: str, commit: str) -> bool:
        """Return whether a skill, on any shelf, is not what it was at a commit (empty: it was nowhere)."""
        return any(
            (self.repository.folders(shelf, commit).get(name) if commit else None)
            != self.repository.folders(shelf).get(name)
            for shelf in SHELVES
        )

    def since(self, commit: str) -> list[Revision] | None:
        """Return the commits after one, newest first; None when the history does not have it.

        Args:
            commit: Forty digits; empty: the time before the first.
        """
        found: list[Revision] = []
        for revision in self.repository.history():
            if revision.commit == commit:
                return found
            found.append(revision)
        return None if commit else found

    def restore(self, commit: str, *, message: str, author: str) -> str:
        """Make every file what it was at a commit (empty: none), by a new commit; the caller holds the lock.

        No history is rewritten: what is taken back can be looked at, and brought back by its commit.
        """
        now = self.repository.files("")
        then = self.repository.files("", commit) if commit else {}
        changed = {p: then.get(p) for p in sorted(now.keys() | then) if now.get(p) != then.get(p)}
        return self.repository.write(changed, message=message, author=author)

    def tombstones(self) -> list[Tombstone]:
        """Return what is left of the retired skills."""
        found = []
        for path, content in self.repository.files("tombstones").items():
            try:
                found.append(Tombstone.model_validate(plain_yaml(content.text)))
            except ValueError as error:
                raise BadSkill(
                    f"tombstones/{path} is none: {' '.join(str(error).split())}"
                ) from error
        return found

    def bury(
        self, skill: Skill, tombstone: Tombstone, *, author: str, shelf: Shelf = "skills"
    ) -> str:
        """Move a skill to the archive and leave its tombstone, in one commit; the caller holds the lock."""
        said = of_text(written_yaml(tombstone.model_dump()))
        changes: dict[str, FileContent | None] = dict.fromkeys(self._paths(f"{shelf}/{skill.name}"))
        changes |= {f"archive/{skill.name}/{p}": f for p, f in folder.write(skill).items()}
        changes[f"tombstones/{skill.name}-{skill.contract.version}.yaml"] = said
        message = f"Retire {skill.id}: {tombstone.reason}"
        return self.repository.write(changes, message=message, author=author)

    def unbury(self, name: str, *, author: str) -> str:
        """Remove the tombstones of a name, so that it can be learned again."""
        gone: dict[str, FileContent | None] = {
            f"tombstones/{path}": None
            for path in self.repository.files("tombstones")
            if path.rpartition("-")[0] == name
        }
        return self.repository.write(gone, message=f"Allow {name} again", author=author)

    def pins(self) -> frozenset[str]:
        """Return the names that nothing but a person's word may change or retire."""
        text = self.repository.text(_PINS) or "[]"
        try:
            names = plain_yaml(text) or []
        except ValueError as error:
            raise BadSkill(f"{_PINS} is no YAML: {error}") from error
        return frozenset(str(name) for name in names)

    def pin(self, name: str, *, author: str, on: bool = True) -> str:
        """Pin a skill, or let it go."""
        names = sorted(self.pins() | {name}) if on else sorted(self.pins() - {name})
        said = "Pin" if on else "Unpin"
        return self.repository.write(
            {_PINS: of_text(written_yaml(names))}, message=f"{said} {name}", author=author
        )
