"""The loop: goal, attempt, verification by program, a skill, admission.

An iteration is one attempt at one goal; it goes on in the world of the one before until that ends, as VOYAGER
does. Everything random comes from (seed, iteration), and what an iteration came to is one event in the ledger:
a killed run goes on at the iteration it was in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ...envs.base import Environment
from ...envs.errors import EnvironmentFault
from ...envs.types import Record
from ...memory.ledger.practice_events import Answered, Practised
from ...skills.admission import Admission
from ...skills.skill_runner import Runner
from ...skills.types import Skill
from .answers import Answers
from .attempt import GoalAttempt
from .code_writer import ActionWriter
from .curriculum import Curriculum
from .explorer import Explorer, attempt_rng
from .skill_learner import ROUNDS, SkillLearner
from .write_round import Written, write_skill

MOVES = 60
"""Moves of one attempt."""


class PracticeConfig(Record):
    """What a practice may use."""

    library: bool = True
    """Whether skills are learned and called."""
    primitives: bool = True
    """Whether the environment's control primitives are called, or single actions only."""


Iteration = Practised
"""What one iteration came to: the event itself, so that nothing is told twice."""


@dataclass
class Practice:
    """Practises in one environment.

    Args:
        environment: With `goals`, `facts` and `api`.
        worlds: Task ids to practise in, in order; the later ones are other bindings for admission.
        runner: Of skills.
        admission: Of the library; None for an agent without one.
        curriculum: Proposes goals.
        config: What it may use.
        seed: Of everything random.
        writer: A model that writes code; None: skills are induced only.
    """

    environment: Environment
    worlds: Sequence[str]
    runner: Runner
    admission: Admission | None
    curriculum: Curriculum
    config: PracticeConfig = field(default_factory=PracticeConfig)
    seed: int = 0
    writer: ActionWriter | None = None
    """Writes code for the goal before it is explored; both sources compete."""
    explorer: Explorer = field(init=False)
    learner: SkillLearner | None = None
    _standing: GoalAttempt | None = None

    def __post_init__(self) -> None:
        """Begin with what the library has, and with no answers."""
        if self._answers is not None:
            self._answers.begin()
            env, answers = self.environment.name, self._answers
            self.curriculum.known_of = lambda goal: answers.known(env, goal)
        self.explorer = Explorer(
            self.environment,
            primitives=self.config.primitives,
        )
        if self.admission is not None and self.config.library:
            self.learner = SkillLearner(self.admission, self.explorer, self.worlds, self.seed)

    def recall(self, done: Iteration) -> None:
        """Take in an iteration of an earlier run, from the ledger."""
        for lesson in done.lessons:
            self.explorer.apply(lesson)
        if self._answers is not None:
            self._answers.recall(done.answers)
        for goal in done.gained:
            self.curriculum.note(goal, completed=True, skill=done.skills.get(goal, ""))
        if done.goal and done.goal not in done.gained and done.outcome != "unknown":
            self.curriculum.note(done.goal, completed=False)
        for text in done.played:
            if not text:
                self._standing = None
                self._attempt(done.number).begin()
            else:
                self._attempt(done.number).again(text)
        if not done.played:
            self._standing = None

    def skills(self) -> Mapping[str, Skill]:
        """Return the library's skills of this environment; none for an agent without a library."""
        return self.learner.skills(self.environment.name) if self.learner is not None else {}

    @property
    def _answers(self) -> Answers | None:
        return self.writer.answers if self.writer is not None else None

    def _answered(self) -> tuple[Answered, ...]:
        return self._answers.drained() if self._answers is not None else ()

    async def iterate(self, number: int) -> Iteration:
        """Run one iteration."""
        rng = attempt_rng(self.seed, number, "practice")
        self.explorer.skills = self.skills()
        attempt = self._attempt(number)
        try:
            if not attempt.facts:
                attempt.begin()
            goal = await self.curriculum.next_goal(attempt.now, self.explorer.skills, rng)
            written = await self._written(goal, attempt)
            if written is not None and written.verdict is not None:
                self.curriculum.note(goal, completed=True, skill=written.verdict.skill)
                self._standing = None
                return Iteration(
                    number=number,
                    goal=goal,
                    outcome="success",
                    gained=(goal,),
                    practice_steps=written.steps,
                    skills={goal: written.verdict.skill},
                    answers=self._answered(),
                )
            done = self._pursue(number, goal, attempt, rng)
            if written is None:
                return done
            said = tuple(f"{goal}: written: {why}" for why in written.refused)
            return done.model_copy(
                update={
                    "refused": (*said, *done.refused),
                    "practice_steps": done.practice_steps + written.steps,
                    "answers": self._answered(),
                }
            )
        except EnvironmentFault as error:
            self._standing = None
            self.explorer.drained()
            return Iteration(number=number, goal="", outcome="unknown", refused=(str(error),))

    async def _written(self, goal: str, attempt: GoalAttempt) -> Written | None:
        """Let the writer try, where there is one and the goal has no skill yet; the world is begun anew."""
        if self.writer is None or self.learner is None or self.curriculum.known(goal).skill:
            return None
        found = await write_skill(
            self.writer,
            self.learner.admission,
            self.environment,
            self.skills(),
            goal,
            self.curriculum.goals[goal],
            attempt.now,
            worlds=self.learner.worlds_from(attempt.task_id),
            seed=self.seed,
            rounds=ROUNDS,
            completed=sum(bool(p.completed) for p in self.curriculum.progress.values()),
        )
        self.explorer.skills = self.skills()
        attempt.begin()
        good = found.verdict is not None and found.verdict.outcome == "success"
        return found if good else found._replace(verdict=None)

    def _attempt(self, number: int) -> GoalAttempt:
        runner = self.runner.with_skills(self.explorer.skills)
        if self._standing is not None and not self._standing.over:
            self._standing.runner = runner
            return self._standing
        world = self.worlds[number % len(self.worlds)]
        self._standing = GoalAttempt(self.environment, runner, world, self.seed)
        return self._standing

    def _played(self, attempt: GoalAttempt, first: int) -> tuple[str, ...]:
        """Return the moves from the first on, for `recall`; nothing where the world has ended."""
        if attempt.over:
            self._standing = None
            return ()
        return (*([] if first else [""]), *attempt.told(first))

    def _pursue(
        self, number: int, goal: str, attempt: GoalAttempt, rng: np.random.Generator
    ) -> Iteration:
        words, first = self.curriculum.goals[goal], len(attempt.moves)
        self.explorer.begin()
        held = {g for g in self.curriculum.goals if attempt.now.get(g)}
        gained: dict[str, int] = {}
        steps = attempt.steps
        for _ in range(MOVES):
            if attempt.over or goal in gained:
                break
            move = self.explorer.propose(words, attempt.now, attempt.moves[first:], rng)
            called, now = len(attempt.calls), attempt.do(move)
            call = attempt.calls[-1] if len(attempt.calls) > called else None
            fresh = [g for g in self.curriculum.goals if now.get(g) and g not in held]
            self.explorer.note(attempt.facts[-2], move, now, call, new=bool(fresh))
            held.update(fresh)
            gained |= dict.fromkeys(fresh, len(attempt.moves))
        steps, moves = attempt.steps - steps, len(attempt.moves) - first
        admitted: dict[str, str] = {}
        refused: list[str] = []
        spent = 0
        for new, place in gained.items():
            known = self.curriculum.known(new)
            if self.learner is None or known.skill or not _worth_a_try(known.completed + 1):
                self.curriculum.note(new, completed=True)
                continue
            learned = self.learner.learn(new, self.curriculum.goals[new], place, attempt)
            spent += learned.steps
            refused += learned.refused
            skill = learned.skill
            admitted |= {new: skill} if skill else {}
            self.curriculum.note(new, completed=True, skill=skill)
        if goal not in gained:
            self.curriculum.note(goal, completed=False)
        return Iteration(
            number=number,
            goal=goal,
            outcome="success" if goal in gained else "failure",
            gained=tuple(gained),
            steps=steps,
            practice_steps=spent,
            moves=moves,
            skills=admitted,
            refused=tuple(refused),
            lessons=self.explorer.drained(),
            played=self._played(attempt, first),
        )


def _worth_a_try(times: int) -> bool:
    """Return whether a skill is tried the time a goal is reached: the 1st, 2nd, 4th, 8th and so on."""
    return times & (times - 1) == 0
