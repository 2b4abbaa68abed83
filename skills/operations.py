"""What people do with a library: list, show, edit, test, approve, roll back, import.

One module for the terminal now and the web inspector later: it takes and returns records, and prints
nothing. Every change takes the way through the gate that the agent's changes take.
"""

from collections.abc import Callable
from pathlib import Path

from ..envs.errors import UsageError
from ..envs.types import Record
from . import folder
from .admission import Gate, Verdict
from .errors import BadSkill, Undecided, UnknownSkill
from .graph import callees, callers, dependents, depth
from .library import SHELVES, Library, Shelf, Tombstone
from .lint import fingerprint
from .repository import Revision
from .template import template
from .trial import OnResult, TestResult, run_tests
from .types import Skill, split_id

PERSON = "person"


class SkillRow(Record):
    """One line of a list."""

    name: str
    version: int
    shelf: Shelf
    env: str
    signature: str
    description: str
    maker: str
    tests: int
    calls: tuple[str, ...]
    called_by: tuple[str, ...]
    pinned: bool
    edited: bool
    """Whether its folder was changed by hand and not tested yet."""


class Figures(Record):
    """What a library is like, for comparison with others."""

    skills: int
    with_parameters: float
    """Share of the skills that take a parameter (VOYAGER's published libraries: 0 of 158)."""
    composed: float
    """Share that calls another skill (VOYAGER: 9.5%)."""
    deepest: int
    tests: int
    by_env: dict[str, int]
    by_maker: dict[str, int]


class Workshop:
    """The operations over one library.

    Args:
        library: The skills.
        gate: Makes what admits when it is first needed, since that opens the jail; None: only to look.
        author: The person's name in commits.
    """

    def __init__(
        self, library: Library, gate: Callable[[], Gate] | None = None, *, author: str = PERSON
    ) -> None:
        self.library, self._make_gate, self.author = library, gate, author
        self._gate: Gate | None = None

    @property
    def gate(self) -> Gate:
        """What admits."""
        if self._gate is None:
            if self._make_gate is None:
                raise UsageError("this workshop was opened to look, not to change")
            self._gate = self._make_gate()
        return self._gate

    def rows(self, shelf: Shelf = "skills") -> list[SkillRow]:
        """Return one row a skill of a shelf, sorted by name."""
        skills = self.library.all(shelf)
        above, pins = callers(self.library.all().values()), self.library.pins()
        edited = set(self.library.edited()) if shelf == "skills" else set()
        return [
            SkillRow(
                name=skill.name,
                version=skill.contract.version,
                shelf=shelf,
                env=skill.contract.env,
                signature=skill.signature() if skill.runnable else "",
                description=skill.description,
                maker=skill.contract.maker,
                tests=len(skill.tests),
                calls=tuple(sorted(callees(skill))) if skill.runnable else (),
                called_by=tuple(sorted(above.get(skill.name, ()))),
                pinned=skill.name in pins,
                edited=skill.name in edited,
            )
            for skill in skills.values()
        ]

    def find(self, name: str) -> tuple[Skill, Shelf]:
        """Return a skill and the shelf it is on, whichever that is.

        Raises:
            UnknownSkill: No shelf has it.
        """
        plain, _ = split_id(name)
        shelf = self.library.where(plain) or "skills"
        return self.library.get(name, shelf), shelf

    def figures(self) -> Figures:
        """Return what the library is like."""
        skills = {n: s for n, s in self.library.all().items() if s.runnable}
        n = len(skills) or 1
        envs = [s.contract.env for s in skills.values()]
        makers = [s.contract.maker for s in skills.values()]
        return Figures(
            skills=len(skills),
            with_parameters=sum(bool(s.contract.parameters) for s in skills.values()) / n,
            composed=sum(bool(callees(s)) for s in skills.values()) / n,
            deepest=max((depth(skills, name) for name in skills), default=0),
            tests=sum(len(s.tests) for s in skills.values()),
            by_env={env: envs.count(env) for env in sorted(set(envs))},
            by_maker={maker: makers.count(maker) for maker in sorted(set(makers))},
        )

    def edges(self) -> list[tuple[str, str]]:
        """Return who calls whom, as `name@version` pairs."""
        skills = self.library.all()
        return sorted(
            (skill.id, skills[name].id)
            for skill in skills.values()
            for name in callees(skill)
            if name in skills
        )

    def edit(self, skill: Skill) -> Verdict:
        """Put an edited or new skill through the gate; what is refused is kept as a draft."""
        return self.gate.admit(skill, author=self.author)

    def draft(self, name: str, env: str) -> Skill:
        """Write the draft of a new skill, to be edited.

        Raises:
            UsageError: The name is taken.
        """
        if self.library.where(name) is not None:
            raise UsageError(f"there is a skill {name} on the shelf {self.library.where(name)}")
        try:
            skill = template(name, env)
        except ValueError as error:
            raise UsageError(str(error.args[0]) if error.args else str(error)) from error
        with self.library.lock():
            self.library.draft(skill, ["it was just begun"], author=self.author)
        return skill

    def test(self, name: str, on_result: OnResult | None = None) -> list[TestResult]:
        """Run all tests of a skill as its folder is now, edits by hand included; nothing is changed."""
        skill = self._as_it_is(name)
        staged = {**self.library.all(), skill.name: skill}
        runner = self.gate.runner.with_skills(staged)
        return run_tests(skill, runner, self.gate.make, on_result, whole=True)

    def _as_it_is(self, name: str) -> Skill:
        if name in self.library.edited():
            return self.library.on_disk(name)
        return self.find(name)[0]

    def approve(self, name: str) -> Verdict:
        """Put what waits under a name through the gate: an edit by hand, a proposal, a draft, a quarantine.

        Raises:
            UnknownSkill: Nothing waits.
            BadSkill: The folder is no skill.
        """
        if name in self.library.edited() and (self.library.root / "skills" / name).is_dir():
            skill = self.library.on_disk(name)
        else:
            skill = next(
                (
                    self.library.undrafted(found[name])
                    for shelf in ("proposals", "drafts", "quarantine", "archive")
                    if name in (found := self.library.all(shelf))
                ),
                None,
            )  # type: ignore[assignment]
            if skill is None:
                raise UnknownSkill(f"nothing waits under the name {name!r}")
        mine = {fingerprint(skill.code)} if skill.runnable else set()
        if mine & {t.fingerprint for t in self.library.tombstones() if t.name == name}:
            with self.library.lock():  # a person's word lifts the tombstone
                self.library.unbury(name, author=self.author)
        return self.gate.admit(skill, author=self.author, message=f"Approve {name}")

    def reject(self, name: str, reason: str) -> str:
        """Refuse what waits under a name for good: it goes to the archive, with a tombstone."""
        skill, shelf = self.find(name)
        if shelf == "skills":
            raise UsageError(
                f"{name} is in the library", hint="Say `quarantine` to take it out, or `retire`."
            )
        with self.library.lock():
            skill = self.library.undrafted(skill)
            commit = self.library.put(
                [skill],
                message=f"Reject {name}: {reason}",
                author=self.author,
                shelf="archive",
                away=[(shelf, name)] if shelf != "archive" else [],
            )
            if skill.runnable:
                self.library.bury(skill, _tombstone(skill, reason), author=self.author)
        return commit

    def quarantine(self, name: str, reason: str) -> tuple[str, ...]:
        """Take a skill, and all that depend on it, out of the library until someone approves them.

        Returns:
            What was taken out, as `name@version`.
        """
        with self.library.lock():
            skills = self.library.all()
            if name not in skills:
                raise UnknownSkill(f"there is no skill {name!r} in the library")
            gone = [skills[name], *(skills[p[-1]] for p in dependents(skills, name))]
            self.library.put(
                gone,
                message=f"Quarantine {name}: {reason}",
                author=self.author,
                shelf="quarantine",
                away=[("skills", skill.name) for skill in gone],
            )
        return tuple(skill.id for skill in gone)

    def retire(self, name: str, reason: str) -> str:
        """Archive a skill and leave a tombstone, so that it is not learned again.

        Raises:
            UsageError: Others call it.
        """
        with self.library.lock():
            skills = self.library.all()
            if name not in skills:
                raise UnknownSkill(f"there is no skill {name!r} in the library")
            above = sorted(callers(skills.values()).get(name, ()))
            if above:
                raise UsageError(f"{name} cannot be retired: it is called by {', '.join(above)}")
            skill = skills[name]
            return self.library.bury(skill, _tombstone(skill, reason), author=self.author)

    def pin(self, name: str, on: bool = True) -> str:
        """Pin a skill so that only a person changes it, or let it go."""
        self.find(name)
        with self.library.lock():
            return self.library.pin(name, author=self.author, on=on)

    def history(self, name: str = "") -> list[Revision]:
        """Return the commits of a skill, or of the library, newest first."""
        if not name:
            return self.library.history()
        places = tuple(f"{shelf}/{name}/" for shelf in SHELVES)
        found = [
            revision
            for revision in self.library.history()
            if any(path.startswith(places) for path in revision.paths)
        ]
        if not found:
            raise UnknownSkill(f"no commit names a skill {name!r}")
        return found

    def rollback(self, name: str, to: str) -> Verdict:
        """Bring back what a skill was, as a new version through the gate.

        Args:
            name: The skill.
            to: A version (`2`) or a commit (at least four digits).

        Raises:
            UnknownSkill: It had no such version.
        """
        if to.isdecimal() and len(to) < 4:
            skill = self.library.get(f"{name}@{to}")
        else:
            commit = self.library.repository.commit_named(to)
            at = self.library.all("skills", commit)
            if name not in at:
                raise UnknownSkill(f"there was no skill {name!r} at {to}")
            skill = at[name]
        return self.gate.admit(skill, author=self.author, message=f"Roll {name} back to {to}")

    def import_folder(self, source: Path) -> Verdict:
        """Take in a folder of the Agent Skills standard, ours or another's.

        With code and a contract it goes through the gate; instructions without are kept, and not callable.

        Raises:
            BadSkill: It is no skill.
        """
        skill = folder.read_skill(source)
        if skill.runnable and skill.contract.env:
            return self.gate.admit(skill, author=self.author, message=f"Import {skill.name}")
        if skill.name in self.library.all():
            raise BadSkill(
                f"there is a skill {skill.name} already; rename the folder and its SKILL.md"
            )
        with self.library.lock():
            commit = self.library.put(
                [skill], message=f"Import {skill.name} (instructions)", author=self.author
            )
        return Verdict(skill=skill.id, outcome="success", shelf="skills", commit=commit)

    def export(self, name: str, to: Path) -> Path:
        """Write a skill's folder, as any reader of the standard takes it, and return it.

        Raises:
            UsageError: Something is there already.
        """
        skill, _ = self.find(name)
        target = to / skill.name
        if target.exists():
            raise UsageError(f"{target} exists; nothing was written")
        for path, text in folder.write(self.library.undrafted(skill)).items():
            file = target / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return target


def settled(verdict: Verdict) -> Verdict:
    """Return a verdict that says yes or no.

    Raises:
        Undecided: Something else broke.
    """
    if verdict.outcome == "unknown":
        raise Undecided(f"{verdict.skill} could not be tested: {'; '.join(verdict.reasons)}")
    return verdict


def _tombstone(skill: Skill, reason: str) -> Tombstone:
    return Tombstone(name=skill.name, fingerprint=fingerprint(skill.code), reason=reason)
