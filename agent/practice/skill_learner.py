"""Makes a skill of moves that reached a goal, and puts it to admission: a recipe, a loop, or all it needed."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ...envs.errors import EnvironmentFault
from ...skills.admission import BINDINGS, Admission, Verdict
from ...skills.call_graph import allowed
from ...skills.induction.recipe import recipe
from ...skills.induction.traces import ACT
from ...skills.types import Skill, split_id
from .attempt import GoalAttempt
from .explorer import Explorer
from .skill_values import open_parameters
from .workbench import Workbench, tests_in

ROUNDS = 4
"""Most times that one iteration's skill is put to admission (VOYAGER's rounds)."""


class Learned(NamedTuple):
    """What learning came to."""

    verdict: Verdict | None = None
    """Of admission; None where nothing was put to it."""
    steps: int = 0
    """That it took."""
    refused: tuple[str, ...] = ()
    """Why it failed."""

    @property
    def skill(self) -> str:
        """What is in the library for it now, `name@version`; empty for nothing."""
        good = self.verdict is not None and self.verdict.outcome == "success"
        return self.verdict.skill if self.verdict is not None and good else ""


class SkillLearner:
    """Learns skills.

    Args:
        admission: Of the library; its environments are not the one that is practised in.
        explorer: Told of what was learned.
        worlds: Task ids to test in.
        seed: Of the environment.
    """

    def __init__(
        self, admission: Admission, explorer: Explorer, worlds: Sequence[str], seed: int
    ) -> None:
        self.admission, self._explorer = admission, explorer
        self._worlds, self._seed = worlds, seed

    def skills(self, env: str) -> Mapping[str, Skill]:
        """Return the library's skills of an environment."""
        found = self.admission.library.all().items()
        return {n: s for n, s in found if s.contract.env == env and s.runnable}

    def is_recipe(self, skill: str) -> bool:
        """Return whether a skill is one for other things too."""
        return bool(open_parameters(self.admission.library.all()[split_id(skill)[0]]))

    def learn(self, goal: str, words: str, last: int, attempt: GoalAttempt) -> Learned:
        """Make a skill of the move that brought a goal about.

        What was made of other things is a recipe. Else it is the move, done until the goal holds, after what
        it needed; what it needed is what other skills bring.

        Args:
            goal: The fact that came to hold.
            words: The same in words.
            last: How many moves had been made in this world when it held.
            attempt: They were made in it.

        Raises:
            EnvironmentFault: The environment or the jail broke.
        """
        move, before, after = attempt.moves[last - 1], attempt.facts[last - 1], attempt.facts[last]
        if move.method != ACT or before.get(goal):
            return Learned()  # a skill is one already, and what happens on the way is chance
        env, world = attempt.environment.name, attempt.task_id
        made = recipe(attempt.moves[:last], attempt.facts[: last + 1], env, world)
        if made is not None:
            return self._learn_recipe(made, goal, words, world)
        tests = tests_in(self.worlds_from(world), self._seed, words)
        shop = Workbench(self.admission, self._explorer, goal, words, tests=tests)
        for candidate, moves in shop.candidates(move, before, after):
            if shop.holds(candidate):
                self._explorer.learn(moves)
                return _learned(self.admission.admit(candidate, author="agent"), goal, shop.spent)
        return Learned(None, shop.spent, (f"{goal}: no candidate reached it again",))

    def _learn_recipe(self, made: Skill, goal: str, words: str, world: str) -> Learned:
        """Put a recipe to admission; one that is known for another thing is not made again."""
        skills = self.skills(made.contract.env)
        self._explorer.know(made)
        if made.name in skills:
            return Learned()
        tests = tests_in(self.worlds_from(world), self._seed, words)
        made = allowed(skills, made).model_copy(update={"tests": tests})
        learned = _learned(self.admission.admit(made, author="agent"), goal)
        self._explorer.skills = self.skills(made.contract.env)
        return learned

    def worlds_from(self, origin: str) -> list[str]:
        """Return the origin and the worlds after it that a skill is tested on."""
        place = self._worlds.index(origin)
        return [self._worlds[(place + n) % len(self._worlds)] for n in range(BINDINGS + 1)]


def _learned(verdict: Verdict, goal: str, spent: int = 0) -> Learned:
    if verdict.outcome == "unknown":
        raise EnvironmentFault(f"{verdict.skill}: {'; '.join(verdict.reasons)}")
    refused = () if verdict.outcome == "success" else verdict.reasons
    steps = spent + sum(test.steps for test in verdict.tests)
    return Learned(verdict, steps, tuple(f"{goal}: {why}" for why in refused))
