"""Makes a skill of moves that reached a goal, and puts it to admission: a recipe, a loop, or all it needed."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ...envs.errors import EnvironmentFault
from ...skills.absorb_variant import covers
from ...skills.admission import BINDINGS, Admission, Verdict
from ...skills.call_graph import allowed
from ...skills.induction.program import Piece
from ...skills.induction.recipe import recipe
from ...skills.induction.traces import Move
from ...skills.merge import Unlike, alike, merge
from ...skills.types import Skill, split_id
from .attempt import GoalAttempt, minimal
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

    def learn(
        self, goal: str, words: str, moves: Sequence[Move], first: int, attempt: GoalAttempt
    ) -> Learned:
        """Make a skill of moves that reached a goal.

        What was made of other things is a recipe. Else the last few moves are tried first, as a loop: what
        came before is often chance. Then all that could not be left out. What its own tests do not need goes
        too.

        Args:
            goal: The fact that came to hold.
            words: The same in words.
            moves: From the first one of this attempt on.
            first: How many moves came before them in the same world.
            attempt: They were made in it.

        Raises:
            EnvironmentFault: The environment or the jail broke.
        """
        if moves[-1].method == "skill" and self.is_recipe(moves[-1].skill):
            return Learned()  # it is known already how this is made
        env, world, last = attempt.environment.name, attempt.task_id, first + len(moves)
        made = recipe(attempt.moves[:last], attempt.facts[: last + 1], env, world)
        if made is not None:
            return self._learn_recipe(made, goal, words, world)
        if first:
            return Learned()  # its world is long begun, and what it needed there is not told
        skills, place = self.skills(env), self.worlds_from(world)
        shop = Workbench(self.admission, skills, goal, worlds=place, seed=self._seed)
        told = attempt.trace(words, listed=False)
        for length in range(1, min(len(moves), ROUNDS - 1) + 1):
            if shop.holds(Piece(told, last - length, last)):
                break
        else:
            own = GoalAttempt(self.admission.make(env), attempt.runner, world, attempt.seed)
            needed = minimal(own, moves, lambda now: bool(now.get(goal)))
            shop.spent += own.steps
            if not needed:
                why = f"{goal}: the same moves did not reach it again"
                return Learned(None, shop.spent, (why,))
            trace = own.trace(words, listed=False)
            if not shop.holds(Piece(trace, 0, len(trace.moves))):
                return Learned(None, shop.spent, (f"{goal}: {shop.why}",))
        candidate = shop.pruned()
        self._explorer.learn(shop.moves)
        return _learned(self._admit(candidate, skills), goal, shop.spent)

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

    def _admit(self, candidate: Skill, skills: Mapping[str, Skill]) -> Verdict:
        """Put a candidate to admission: into a skill that covers it, with one like it, or by itself."""
        alone = self.admission.admit(candidate, author="agent")
        if alone.outcome != "success":
            return alone
        covering = covers({n: s for n, s in skills.items() if n != candidate.name}, candidate)
        if covering is not None:
            verdict = self.admission.merge(covering, author="agent")
            return verdict if verdict.outcome == "success" else alone
        now = self.skills(candidate.contract.env)
        for group in alike(now):
            if candidate.name not in {s.name for s in group}:
                continue
            try:
                merged = merge(group, taken=list(now))
            except Unlike:
                continue
            verdict = self.admission.merge(merged, author="agent")
            return verdict if verdict.outcome == "success" else alone
        return alone


def _learned(verdict: Verdict, goal: str, spent: int = 0) -> Learned:
    if verdict.outcome == "unknown":
        raise EnvironmentFault(f"{verdict.skill}: {'; '.join(verdict.reasons)}")
    refused = () if verdict.outcome == "success" else verdict.reasons
    steps = spent + sum(test.steps for test in verdict.tests)
    return Learned(verdict, steps, tuple(f"{goal}: {why}" for why in refused))
