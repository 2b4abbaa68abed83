"""Where a candidate is made fit for admission: written, run on its tests, and cut down to what they need.

The tests are the judge: a move without which they all still hold was chance.
"""

from collections.abc import Mapping, Sequence

from ...envs.errors import EnvironmentFault
from ...skills.admission import Admission
from ...skills.call_graph import allowed
from ...skills.induction.program import Piece, write
from ...skills.induction.text import UPKEEP
from ...skills.induction.traces import Move, Trace
from ...skills.trial import run_tests
from ...skills.types import Skill, SkillTest


class Workbench:
    """Works on one candidate.

    Args:
        gate: Whose runner and environments the tests use; nothing is admitted here.
        skills: The library.
        goal: The fact that the skill is for.
        worlds: Task ids of the tests, the origin first.
        seed: Of the environment.
    """

    def __init__(
        self,
        admission: Admission,
        skills: Mapping[str, Skill],
        goal: str,
        *,
        worlds: Sequence[str],
        seed: int,
    ) -> None:
        self._admission, self._skills, self._goal = admission, skills, goal
        self._worlds, self._seed = worlds, seed
        self._piece: Piece | None = None
        self._fit: Skill | None = None
        self.spent = 0
        """Steps that tests took."""
        self.why = ""
        """Why the last candidate did not hold."""

    @property
    def moves(self) -> tuple[Move, ...]:
        """The moves of the candidate that holds."""
        assert self._piece is not None
        return self._piece.trace.moves[self._piece.first : self._piece.last]

    def holds(self, piece: Piece) -> bool:
        """Write a candidate of a piece and return whether all its tests succeed.

        Raises:
            EnvironmentFault: It could not be tested.
        """
        try:
            candidate = self._made(piece)
        except ValueError as error:
            self.why = str(error)
            return False
        runner = self._admission.runner.with_skills({**self._skills, candidate.name: candidate})
        ran = run_tests(candidate, runner, self._admission.make)
        self.spent += sum(result.steps for result in ran)
        if ran[-1].outcome == "unknown":
            raise EnvironmentFault(f"{candidate.name} could not be tested: {ran[-1].reason}")
        if ran[-1].outcome != "success":
            self.why = f"{ran[-1].test}: {ran[-1].reason}"
            return False
        self._piece, self._fit = piece, candidate
        return True

    def pruned(self) -> Skill:
        """Return the candidate without the moves that its tests do not need."""
        place = 0
        while place < len(self.moves) - 1:
            fewer = (*self.moves[:place], *self.moves[place + 1 :])
            if not self.holds(_piece(self._piece, fewer)):
                place += 1
        assert self._fit is not None
        return self._fit

    def _made(self, piece: Piece) -> Skill:
        env = self._admission.make(piece.trace.env)
        name = self._goal.rpartition(".")[2].replace("_", "-")
        candidate = write([piece], name=name, goal=self._goal, upkeep=UPKEEP in env.api())
        tests = tests_in(self._worlds, self._seed, piece.trace.goal)
        return allowed(self._skills, candidate).model_copy(update={"tests": tests})


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


def _piece(old: Piece | None, moves: Sequence[Move]) -> Piece:
    """Return the same piece with fewer moves; what held at its ends is kept."""
    assert old is not None
    start, before, end = (old.trace.facts[n] for n in (old.first, old.last - 1, old.last))
    facts = [start] * len(moves)
    facts[-1:] = [before if len(moves) > 1 else start, end]
    trace = Trace(
        env=old.trace.env,
        task_id=old.trace.task_id,
        seed=old.trace.seed,
        goal=old.trace.goal,
        moves=tuple(moves),
        facts=tuple(facts),
    )
    return Piece(trace, 0, len(moves))
