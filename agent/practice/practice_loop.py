"""The loop: goal, attempt, verification by program, minimal moves, a skill, admission, a merge.

An iteration is one attempt at one goal. Everything random comes from (seed, iteration), and what an iteration
came to is one event in the ledger: a killed run goes on at the iteration it was in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ...envs.base import Environment
from ...envs.errors import EnvironmentFault
from ...envs.types import Fact, Record
from ...memory.ledger.practice_events import Answered, Practised
from ...skills.absorb_variant import covers
from ...skills.admission import BINDINGS, Admission, Verdict
from ...skills.induction.program import Piece
from ...skills.induction.traces import Move
from ...skills.merge import Unlike, alike, merge
from ...skills.skill_runner import Runner
from ...skills.types import Skill
from .answers import Answers
from .attempt import GoalAttempt, minimal
from .code_writer import ActionWriter
from .curriculum import Curriculum
from .explorer import Explorer, attempt_rng
from .workbench import Workbench
from .write_round import Written, write_skill

MOVES = 60
"""Moves of one attempt."""
ROUNDS = 4
"""Most times that one iteration's skill is put to admission (VOYAGER's rounds)."""


class PracticeConfig(Record):
    """What a practice may use."""

    persistent: bool = False
    """Go on in one world from attempt to attempt until the episode ends (what VOYAGER does); else every
    attempt begins anew, and what it leads to needs no more than the library."""
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
    _standing: GoalAttempt | None = None

    def __post_init__(self) -> None:
        """Begin with what the library has, and with no answers."""
        if self._answers is not None:
            self._answers.begin()
            env, answers = self.environment.name, self._answers
            self.curriculum.known_of = lambda goal: answers.known(env, goal)
        self.explorer = Explorer(
            self.environment,
            self.skills(),
            primitives=self.config.primitives,
        )

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

    def skills(self) -> Mapping[str, Skill]:
        """Return the library's skills of this environment; none for an agent without a library."""
        if self.admission is None:
            return {}
        env = self.environment.name
        return {
            n: s
            for n, s in self.admission.library.all().items()
            if s.contract.env == env and s.runnable
        }

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
            if not attempt.facts or attempt.over or not self.config.persistent:
                attempt.begin()
            goal = await self.curriculum.next_goal(attempt.now, self.explorer.skills, rng)
            written = await self._written(goal, attempt)
            if written is not None and written.verdict is not None:
                self.curriculum.note(goal, completed=True, skill=written.verdict.skill)
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
        if self.writer is None or self.admission is None or self.curriculum.known(goal).skill:
            return None
        found = await write_skill(
            self.writer,
            self.admission,
            self.environment,
            self.skills(),
            goal,
            self.curriculum.goals[goal],
            attempt.now,
            worlds=self._worlds_from(attempt.task_id),
            seed=self.seed,
            rounds=ROUNDS,
            completed=sum(bool(p.completed) for p in self.curriculum.progress.values()),
        )
        self.explorer.skills = self.skills()
        attempt.begin()
        good = found.verdict is not None and found.verdict.outcome == "success"
        return found if good else found._replace(verdict=None)

    def _attempt(self, number: int) -> GoalAttempt:
        if self.config.persistent and self._standing is not None and not self._standing.over:
            return self._standing
        world = self.worlds[number % len(self.worlds)]
        self._standing = GoalAttempt(
            self.environment, self.runner.with_skills(self.explorer.skills), world, self.seed
        )
        return self._standing

    def _pursue(
        self, number: int, goal: str, attempt: GoalAttempt, rng: np.random.Generator
    ) -> Iteration:
        words, first = self.curriculum.goals[goal], len(attempt.moves)
        held = {g for g in self.curriculum.goals if attempt.now.get(g)}
        gained: dict[str, int] = {}
        steps = attempt.steps
        for _ in range(MOVES):
            if attempt.over or goal in gained:
                break
            move = self.explorer.propose(words, attempt.now, attempt.moves[first:], rng)
            before, now = attempt.now, attempt.do(move)
            self.explorer.note(before, move, now)
            for new in self.curriculum.goals:
                if now.get(new) and new not in held:
                    held.add(new)
                    gained[new] = len(attempt.moves)
        steps, moves = attempt.steps - steps, len(attempt.moves) - first
        done = list(attempt.moves)
        admitted: dict[str, str] = {}
        refused: list[str] = []
        spent = 0
        for new, place in gained.items():
            if (
                self.admission is None
                or not self.config.library
                or self.curriculum.known(new).skill
            ):
                self.curriculum.note(new, completed=True)
                continue
            verdict, used, why = self._learn(new, done[first:place], first, attempt)
            spent += used
            refused += why
            skill = verdict.skill if verdict is not None and verdict.outcome == "success" else ""
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
        )

    def _learn(
        self, goal: str, moves: Sequence[Move], first: int, attempt: GoalAttempt
    ) -> tuple[Verdict | None, int, list[str]]:
        """Make a skill of moves that reached a goal; return admission's word, the steps it took, why not.

        The last few moves are tried first, as a loop: what came before is often chance. Then all that could
        not be left out. What its own tests do not need goes too.
        """
        assert self.admission is not None

        def reached(now: Mapping[str, Fact]) -> bool:
            return bool(now.get(goal))

        words = self.curriculum.goals[goal]
        told, last = attempt.trace(words, listed=False), first + len(moves)
        assert self.admission is not None
        shop = Workbench(
            self.admission,
            self.skills(),
            goal,
            worlds=self._worlds_from(told.task_id),
            seed=self.seed,
        )
        for length in range(1, min(len(moves), ROUNDS - 1) + 1):
            if shop.holds(Piece(told, last - length, last)):
                break
        else:
            own = GoalAttempt(attempt.environment, attempt.runner, attempt.task_id, attempt.seed)
            needed = minimal(own, moves, reached)
            shop.spent += own.steps
            if not needed:
                why = f"{goal}: the same moves did not reach it again"
                return None, shop.spent, [why]
            trace = own.trace(words, listed=False)
            if not shop.holds(Piece(trace, 0, len(trace.moves))):
                return None, shop.spent, [f"{goal}: {shop.why}"]
        candidate = shop.pruned()
        self.explorer.learn(shop.moves)
        verdict = self._admit(candidate)
        if verdict.outcome == "unknown":
            raise EnvironmentFault(f"{candidate.name}: {'; '.join(verdict.reasons)}")
        spent = shop.spent + sum(t.steps for t in verdict.tests)
        good = verdict.outcome == "success"
        return verdict, spent, [] if good else [f"{goal}: {r}" for r in verdict.reasons]

    def _worlds_from(self, origin: str) -> list[str]:
        """Return the origin and the worlds after it that a skill is tested on."""
        place = self.worlds.index(origin)
        most = BINDINGS + 1
        return [self.worlds[(place + n) % len(self.worlds)] for n in range(most)]

    def _admit(self, candidate: Skill) -> Verdict:
        """Put a candidate to admission: into a skill that covers it, with one like it, or by itself."""
        assert self.admission is not None
        skills = self.skills()
        alone = self.admission.admit(candidate, author="agent")
        if alone.outcome != "success":
            return alone
        covering = covers({n: s for n, s in skills.items() if n != candidate.name}, candidate)
        if covering is not None:
            verdict = self.admission.merge(covering, author="agent")
            return verdict if verdict.outcome == "success" else alone
        for group in alike(self.skills()):
            if candidate.name not in {s.name for s in group}:
                continue
            try:
                merged = merge(group, taken=list(self.skills()))
            except Unlike:
                continue
            verdict = self.admission.merge(merged, author="agent")
            return verdict if verdict.outcome == "success" else alone
        return alone
