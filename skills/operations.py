"""What people do with a library: list, show, edit, test, approve, roll back, import.

One module for the terminal now and the web inspector later: it takes and returns records, and prints
nothing. Every change takes the way through admission that the agent's changes take.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ..envs.errors import UsageError
from ..envs.registry import make
from ..envs.types import Fact
from ..memory.credit.past_calls import PastCall, past_calls
from ..memory.ledger.ledger import Ledger
from ..skills import folder
from .admission import Admission, Verdict
from .call_graph import callees, callers, dependents
from .dry_run import DryRun, DryStep, dry_run
from .errors import Undecided, UnknownSkill
from .git_store import Revision
from .going_back import go_back, take_commit_back
from .library import SHELVES, Library, Shelf, Tombstone
from .lint import repinned
from .replay_call import Replayed, replay_from
from .skill_runner import Runner
from .taking_in import keep_instructions, mark_of, taken_in
from .template import template, unfilled
from .trial import OnResult, TestResult, run_tests
from .types import Skill, split_id
from .versions import skill_at
from .views import Figures, SkillRow, figures, rows
from .waiting import waiting

PERSON = "person"


class Workshop:
    """The operations over one library.

    Args:
        library: The skills.
        admission: Makes what admits when it is first needed, since that opens the jail; None: only to look.
        author: The person's name in commits.
    """

    def __init__(
        self,
        library: Library,
        admission: Callable[[], Admission] | None = None,
        *,
        author: str = PERSON,
    ) -> None:
        self.library, self._make_admission, self.author = library, admission, author
        self._admission: Admission | None = None

    @property
    def admission(self) -> Admission:
        """What admits."""
        if self._admission is None:
            if self._make_admission is None:
                raise UsageError("this workshop was opened to look, not to change")
            self._admission = self._make_admission()
        return self._admission

    def rows(self, shelf: Shelf = "skills") -> list[SkillRow]:
        """Return one row a skill of a shelf, sorted by name."""
        return rows(self.library, shelf)

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
        return figures(self.library)

    def edges(self) -> list[tuple[str, str]]:
        """Return who calls whom, as `name@version` pairs."""
        skills = self.library.all()
        return sorted(
            (skill.id, skills[name].id)
            for skill in skills.values()
            for name in callees(skill)
            if name in skills
        )

    def edit(self, skill: Skill, base: str | None = None) -> Verdict:
        """Put an edited or new skill through admission; what is refused is kept as a draft.

        Raises:
            SkillChanged: It is not what it was at the commit `base`, from which the edit was begun.
        """
        return self.admission.admit(skill, author=self.author, base=base)

    def draft(self, name: str, env: str) -> Skill:
        """Write the draft of a new skill, to be edited.

        Raises:
            UsageError: The name is taken.
        """
        if self.library.where(name) is not None:
            raise UsageError(f"there is a skill {name} on the shelf {self.library.where(name)}")
        environment = make(env)
        try:
            skill = template(name, environment)
        except ValueError as error:
            raise UsageError(str(error.args[0]) if error.args else str(error)) from error
        finally:
            environment.close()
        with self.library.lock():
            self.library.draft(skill, unfilled(skill), author=self.author)
        return skill

    def test(self, name: str, on_result: OnResult | None = None) -> list[TestResult]:
        """Run all tests of a skill as its folder is now, edits by hand included; nothing is changed."""
        skill = self._as_it_is(name)
        return run_tests(
            skill, self._runner_with(skill), self.admission.make, on_result, whole=True
        )

    def try_out(
        self,
        name: str,
        task_id: str,
        arguments: Mapping[str, Fact],
        *,
        setup: Sequence[str] = (),
        seed: int = 0,
        on_step: Callable[[DryStep], None] | None = None,
    ) -> DryRun:
        """Run a skill, edits by hand included, against a task of its environment; see `dry_run`.

        Nothing is written.
        """
        skill = self._as_it_is(name)
        if not skill.runnable:
            raise UsageError(f"{name} has no code: instructions are read, not run")
        runner = self._runner_with(skill)
        environment = self.admission.make(skill.contract.env)
        return dry_run(
            skill, runner, environment, task_id, arguments, setup=setup, seed=seed, on_step=on_step
        )

    def calls(self, name: str, ledger: Ledger) -> list[PastCall]:
        """Return the calls of a skill that a ledger knows, newest first; `name@version`: of that version."""
        return past_calls(ledger, name)

    def replay(self, call: str, ledger: Ledger) -> Replayed:
        """Run a past call again where it was made, with the code of then; nothing is written anywhere.

        Args:
            call: The number of its row in the ledger, or its event's id.
            ledger: Where it stands.

        Raises:
            UsageError: There is no such call, or it was of an evaluation's placebo.
            UnknownSkill: This library has no skill of that name.
        """
        return replay_from(ledger, call, self.library, lambda: self.admission.runner)

    def _runner_with(self, skill: Skill) -> Runner:
        """Return a runner over the library in which this skill stands in the place of the admitted one."""
        return self.admission.runner.with_skills({**self.library.all(), skill.name: skill})

    def _as_it_is(self, name: str) -> Skill:
        if name in self.library.edited():
            return self.library.on_disk(name)
        return self.find(name)[0]

    def approve(self, name: str) -> Verdict:
        """Put what waits under a name through admission: an edit by hand, a proposal, a draft, a quarantine.

        Raises:
            UnknownSkill: Nothing waits.
            BadSkill: The folder is no skill.
        """
        skill = waiting(self.library, name)
        if not skill.runnable:
            return keep_instructions(skill, self.library, author=self.author, what="Approve")
        return self.admission.admit(
            self._repinned(skill), author=self.author, message=f"Approve {name}", pardon=True
        )

    def _repinned(self, skill: Skill) -> Skill:
        """Return a skill of another time that calls the versions of now; its tests decide."""
        now = {n: s.contract.version for n, s in self.library.all().items()}
        return skill.model_copy(update={"code": repinned(skill.code, now)})

    def reject(self, name: str, reason: str) -> str:
        """Refuse what waits under a name for good: it goes to the archive, with a tombstone."""
        order: tuple[Shelf, ...] = ("proposals", "drafts", "quarantine", "skills", "archive")
        shelf: Shelf = next(
            (s for s in order if name in self.library.repository.folders(s)), "skills"
        )
        skill = self.library.get(name, shelf)
        if shelf == "skills":
            raise UsageError(
                f"{name} is in the library", hint="Say `quarantine` to take it out, or `retire`."
            )
        with self.library.lock():
            return self.library.bury(
                self.library.undrafted(skill),
                _tombstone(skill, reason),
                author=self.author,
                shelf=shelf,
            )

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
        name = self.find(name)[0].name
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
        """Bring back what a skill was, as a new version through admission.

        Args:
            name: The skill.
            to: A version (`2`) or a commit (at least four digits).

        Raises:
            UnknownSkill: It had no such version.
        """
        name, version = split_id(name)
        if version is not None:
            raise UsageError(
                "say which version to go back to after the name: rollback NAME VERSION"
            )
        skill = skill_at(self.library, name, to)
        return self.admission.admit(
            self._repinned(skill), author=self.author, message=f"Roll {name} back to {to}"
        )

    def undo(self, commit: str, *, to: bool = False) -> Verdict:
        """Take back what one commit did to the skills; with `to`, make them all what they were at it.

        What comes back is tested with all that depend on it; see `going_back`.
        """
        does = go_back if to else take_commit_back
        return does(self.admission, commit, self.author)

    def import_folder(self, source: Path) -> Verdict:
        """Take in a folder of the Agent Skills standard, ours or another's; see `taking_in.taken_in`.

        Raises:
            BadSkill: It is no skill, holds a secret where none can be left out, or was retired here.
        """
        skill, left_out = taken_in(source, self.library)
        if not skill.runnable:
            verdict = keep_instructions(skill, self.library, author=self.author, what="Import")
        else:
            verdict = self.admission.admit(
                skill, author=self.author, message=f"Import {skill.name}"
            )
        return verdict.model_copy(update={"left_out": left_out})

    def export(self, name: str, to: Path) -> Path:
        """Write a skill's folder, as any reader of the standard takes it, and return it.

        Raises:
            UsageError: Something is there already.
        """
        skill, _ = self.find(name)
        target = to / skill.name
        if target.exists():
            raise UsageError(f"{target} exists; nothing was written")
        for path, content in folder.write(self.library.undrafted(skill)).items():
            file = target / path
            file.parent.mkdir(parents=True, exist_ok=True)
            self.library.repository.put(file, content, sync=False)
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
    return Tombstone(
        name=skill.name,
        fingerprint=mark_of(skill),
        reason=reason,
        version=skill.contract.version,
    )
