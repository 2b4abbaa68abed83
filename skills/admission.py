"""Admission: a skill is admitted by running it, and every change takes the same way.

Static checks; tombstones; its tests from a clean state, on its origin and at least two other bindings; then
the tests of all that depend on it, re-pinned to its new version. What fails is kept as a draft, and nothing
of it reaches the library (VOYAGER, by contrast, overwrites an old skill by a new one of its name).
"""

from collections.abc import Mapping, Sequence

from ..envs.errors import UnknownName
from ..envs.types import Outcome, Record
from ..skills import folder
from .call_graph import closure, dependents
from .errors import BadSkill, SkillChanged
from .library import Library, Shelf
from .lint import check, fingerprint, repinned
from .skill_runner import Runner
from .template import unfilled
from .trial import MakeEnvironment, OnResult, TestResult, run_tests
from .types import Skill, SkillTest

BINDINGS = 2
"""Bindings besides the origin that a skill has to succeed on."""


class Verdict(Record):
    """What admission said of a skill."""

    skill: str
    """`name@version`, the version it has or would have had."""
    outcome: Outcome
    """Success: it is in the library. Unknown: something else broke, nothing was changed."""
    shelf: Shelf | None
    """Where it lies now; None: nowhere, nothing was changed."""
    reasons: tuple[str, ...] = ()
    """Why not, one sentence each."""
    tests: tuple[TestResult, ...] = ()
    """All that was run, dependents' tests too."""
    path: tuple[str, ...] = ()
    """From the changed skill to the dependent that it broke."""
    repinned: tuple[str, ...] = ()
    """Dependents that call the new version now, `name@version`."""
    commit: str = ""
    left_out: tuple[str, ...] = ()
    """Of an imported folder: what is no part of the skill, one sentence each."""


class Admission:
    """Judges and admits.

    Args:
        library: Where skills are.
        runner: Where they run; its own library is not looked at.
        make: Gives environments by name.
        approve: Whether a person has to approve what passed; it waits on `proposals` until then.
        on_result: Told of every test that ended.
    """

    def __init__(
        self,
        library: Library,
        runner: Runner,
        make: MakeEnvironment,
        *,
        approve: bool = False,
        on_result: OnResult | None = None,
    ) -> None:
        self.library, self.runner, self.make = library, runner, make
        self._approve, self._on_result = approve, on_result

    def admit(
        self,
        candidate: Skill,
        *,
        author: str,
        message: str = "",
        pardon: bool = False,
        base: str | None = None,
    ) -> Verdict:
        """Judge a new or changed skill and, where it passes, put it into the library.

        Args:
            candidate: Its version is set here: one more than the library's.
            author: `agent`, or a person's name; only a person may change what is pinned.
            message: Of the commit.
            pardon: Whether a person lets it in although it was retired; its tombstones go when it passes.
            base: The commit that the candidate was made from; None: not known, whatever is there is replaced.

        Raises:
            SkillChanged: The skill is not what it was at `base`; nothing was changed.
            LibraryUnwritable: The library cannot be written.
        """
        with self.library.lock():
            if base is not None and self.library.changed_since(candidate.name, base):
                raise SkillChanged(f"{candidate.name} was changed since this text was begun")
            verdict = self._change(candidate, author, message, pardon=pardon)
            if pardon and verdict.outcome == "success":
                self.library.unbury(candidate.name, author=author)
            return verdict

    def _change(
        self,
        candidate: Skill,
        author: str,
        message: str,
        *,
        pardon: bool = False,
    ) -> Verdict:
        skills = self.library.all()
        old = skills.get(candidate.name)
        candidate = self._next(candidate, old, author)
        if old is not None and folder.write(old) == folder.write(
            _at(candidate, old.contract.version)
        ):
            return Verdict(
                skill=old.id, outcome="success", shelf="skills", reasons=("nothing changed",)
            )
        staged = {**skills, candidate.name: candidate}
        refused = self._refusals(candidate, old, staged, author, pardon)
        pins = self.library.pins() if author == "agent" else frozenset()
        if not refused and (
            held := [p for p in dependents(staged, candidate.name) if p[-1] in pins]
        ):
            refused.append(f"{held[0][-1]} calls it and is pinned: only a person may change them")
        if refused:
            return self._refuse(candidate, refused, author)
        ran = self.run(candidate, staged)
        if said := _failed(ran):
            return self._refuse(candidate, [said], author, ran)
        changed = [candidate]
        for path in dependents(staged, candidate.name):
            above = staged[path[-1]]
            versions = {s.name: s.contract.version for s in changed}
            above = _at(above, above.contract.version + 1).model_copy(
                update={"code": repinned(above.code, versions)}
            )
            staged[above.name] = above
            changed.append(above)
            tests = self.run(above, staged)
            ran += tests
            if said := _failed(tests):
                way = " -> ".join(path)
                return self._refuse(candidate, [f"it breaks {way}: {said}"], author, ran, path)
        message = message or f"{'Change' if old else 'Add'} {candidate.id}"
        return self._accept(candidate, changed, ran, author, message)

    def _accept(
        self,
        candidate: Skill,
        changed: Sequence[Skill],
        ran: Sequence[TestResult],
        author: str,
        message: str,
    ) -> Verdict:
        waits = self._approve and author == "agent"
        shelf: Shelf = "proposals" if waits else "skills"
        away: list[tuple[Shelf, str]] = []
        if not waits:
            away = [
                (s, candidate.name)
                for s in ("proposals", "drafts", "quarantine", "archive")
                if candidate.name in self.library.repository.folders(s)
            ]
        commit = self.library.put(
            [candidate] if waits else changed,
            message=message,
            author=author,
            shelf=shelf,
            away=away,
        )
        return Verdict(
            skill=candidate.id,
            outcome="success",
            shelf=shelf,
            tests=tuple(ran),
            repinned=() if waits else tuple(s.id for s in changed[1:]),
            commit=commit,
        )

    def _refuse(
        self,
        candidate: Skill,
        reasons: Sequence[str],
        author: str,
        ran: Sequence[TestResult] = (),
        path: tuple[str, ...] = (),
    ) -> Verdict:
        unknown = bool(ran) and ran[-1].outcome == "unknown"
        # what only could not be tested was not refused; a person's text is kept all the same
        keeps = not unknown or author != "agent"
        commit = self.library.draft(candidate, reasons, author=author) if keeps else ""
        return Verdict(
            skill=candidate.id,
            outcome="unknown" if unknown else "failure",
            shelf="drafts" if keeps else None,
            reasons=tuple(reasons),
            tests=tuple(ran),
            path=path,
            commit=commit,
        )

    def run(self, skill: Skill, staged: Mapping[str, Skill]) -> list[TestResult]:
        """Run the tests of a skill over a library that it might be in, until one does not hold."""
        return run_tests(skill, self.runner.with_skills(staged), self.make, self._on_result)

    def _next(self, candidate: Skill, old: Skill | None, author: str) -> Skill:
        """Return the candidate with its version, and with the old tests where an agent left them out."""
        if old is None:
            return _at(candidate, self.library.last_version(candidate.name) + 1)
        tests = candidate.tests
        if author == "agent":
            tests = _together(tests, old.tests)
        return _at(candidate, old.contract.version + 1).model_copy(update={"tests": tests})

    def _refusals(
        self,
        candidate: Skill,
        old: Skill | None,
        staged: Mapping[str, Skill],
        author: str,
        pardon: bool,
    ) -> list[str]:
        """Return what speaks against a skill before it is run."""
        if not candidate.runnable:
            return [f"{candidate.name} has no code: instructions are kept, and cannot be called"]
        if found := unfilled(candidate) or check(candidate):
            return found
        if author == "agent" and candidate.name in self.library.pins():
            return [f"{candidate.name} is pinned: only a person may change it"]
        try:
            closure(staged, candidate)
            unknown = set(candidate.contract.capabilities) - set(
                self.make(candidate.contract.env).api()
            )
            if unknown:
                found.append(
                    f"{candidate.contract.env} has no method {', '.join(sorted(unknown))} for a skill"
                )
        except (BadSkill, UnknownName) as error:
            found.append(str(error))
        mark = fingerprint(candidate.code)
        for tombstone in self.library.tombstones():
            if tombstone.fingerprint == mark and not (pardon and tombstone.name == candidate.name):
                found.append(f"it was retired as {tombstone.name}: {tombstone.reason}")
        for name, other in staged.items():
            rival = name != candidate.name and other.contract.env == candidate.contract.env
            if rival and fingerprint(other.code) == mark:
                found.append(f"it does the same as {other.id}, line for line")
        return found + self._untested(candidate, old)

    def _untested(self, candidate: Skill, old: Skill | None) -> list[str]:
        if not any(test.origin for test in candidate.tests) and old is None:
            return [f"{candidate.name} has no test on the task it comes from (origin: true)"]
        bindings = {_binding(test) for test in candidate.tests}
        if len(bindings) < len(candidate.tests):
            return [f"{candidate.name} has the same test twice under two names"]
        if len(bindings) < 1 + BINDINGS:
            return [
                f"{candidate.name} has {len(bindings)} tests; it needs its origin and "
                f"{BINDINGS} other bindings"
            ]
        return []


def _at(skill: Skill, version: int) -> Skill:
    contract = skill.contract.model_copy(update={"version": version})
    return skill.model_copy(update={"contract": contract})


def _binding(test: SkillTest) -> str:
    return test.model_copy(update={"name": "", "origin": False, "goal": ""}).model_dump_json()


def _together(tests: Sequence[SkillTest], old: Sequence[SkillTest]) -> tuple[SkillTest, ...]:
    """Return the tests and those old ones that they leave out, under names of their own."""
    known = {_binding(test) for test in tests}
    taken = {test.name for test in tests}
    kept = []
    for test in old:
        if _binding(test) in known:
            continue
        name, n = test.name, 2
        while name in taken:
            name, n = f"{test.name}-{n}", n + 1
        taken.add(name)
        kept.append(test.model_copy(update={"name": name}))
    return (*tests, *kept)


def _failed(ran: Sequence[TestResult]) -> str:
    last = ran[-1] if ran else None
    if last is None or last.outcome == "success":
        return ""
    said = "could not be tested on" if last.outcome == "unknown" else "fails"
    return f"{last.skill} {said} its test {last.test}: {last.reason}"
