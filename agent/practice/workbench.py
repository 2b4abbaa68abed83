"""Where a candidate is made fit for admission: written for what it needs, tried on its origin.

The tests are the judge. Only the origin is tried here; the other worlds are admission's matter.
"""

from collections.abc import Iterator, Mapping, Sequence

from ...envs.errors import EnvironmentFault
from ...envs.types import Fact
from ...skills.admission import Admission
from ...skills.call_graph import allowed
from ...skills.induction.program import Piece, write
from ...skills.induction.text import UPKEEP
from ...skills.induction.traces import ACT, Move, Trace
from ...skills.trial import run_tests
from ...skills.types import Skill, SkillTest
from .explorer import Explorer
from .needs import FACED, needs_of


class Workbench:
    """Works on candidates for one goal.

    Args:
        admission: Whose runner and environments the tests use; nothing is admitted here.
        explorer: Whose library there is, and where it failed.
        goal: The fact that the skill is for.
        words: The same in words.
        tests: Of the skill, the origin first.
    """

    def __init__(
        self,
        admission: Admission,
        explorer: Explorer,
        goal: str,
        words: str,
        *,
        tests: tuple[SkillTest, ...],
    ) -> None:
        self._admission, self._explorer = admission, explorer
        self._goal, self._words, self._tests = goal, words, tests
        self.spent = 0
        """Steps that tests took."""

    def candidates(
        self, move: Move, before: Mapping[str, Fact], after: Mapping[str, Fact]
    ) -> Iterator[tuple[Skill, tuple[Move, ...]]]:
        """Yield skills that do a move until the goal holds, and their moves, those that need least first.

        Args:
            move: Brought the goal about.
            before: What held before it.
            after: What held after it.
        """
        going = [
            Move(method=method, values=values)
            for method, values in self._explorer.environment.calls()
            if method != ACT and values and values[0] == before.get(FACED)
        ]
        skills = self._explorer.skills
        for needed in needs_of(
            before, after, self._explorer.acts.failed(str(move.values[0])), skills
        ):
            moves = (*(going[:1] if needed.faced else ()), move)
            facts = (*[before] * len(moves), after)
            trace = Trace(
                env=self._explorer.environment.name,
                task_id=self._tests[0].task_id,
                seed=self._tests[0].seed,
                goal=self._words,
                moves=moves,
                facts=facts,
            )
            made = write(
                [Piece(trace, 0, len(moves))],
                name=self._goal.rpartition(".")[2].replace("_", "-"),
                goal=self._goal,
                upkeep=UPKEEP in self._explorer.environment.api(),
                brings=needed.lines,
            )
            yield allowed(skills, made).model_copy(update={"tests": self._tests}), moves

    def holds(self, candidate: Skill) -> bool:
        """Return whether a candidate succeeds on its origin.

        Raises:
            EnvironmentFault: It could not be tested.
        """
        skills = {**self._explorer.skills, candidate.name: candidate}
        runner = self._admission.runner.with_skills(skills)
        (ran,) = run_tests(candidate, runner, self._admission.make, tests=candidate.tests[:1])
        self.spent += ran.steps
        if ran.outcome == "unknown":
            raise EnvironmentFault(f"{candidate.name} could not be tested: {ran.reason}")
        return ran.outcome == "success"


def tests_in(worlds: Sequence[str], seed: int, goal: str) -> tuple[SkillTest, ...]:
    """Return one test a world, the first on the origin; arguments are the defaults.

    Args:
        worlds: Task ids.
        seed: Of the environment.
        goal: In words.
    """
    return tuple(
        SkillTest(
            name="origin" if n == 0 else f"binding-{n}",
            task_id=world,
            seed=seed,
            origin=n == 0,
            goal=goal,
        )
        for n, world in enumerate(worlds)
    )
