"""One attempt in an environment, move by move: what was done and what it changed, for skills to be made of.

A move is a call of the environment's API or of a skill.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from ...envs.base import Environment
from ...envs.errors import EnvironmentFault, EpisodeOver, UsageError
from ...envs.types import Fact, Transition
from ...skills.induction.text import UPKEEP
from ...skills.induction.traces import Move
from ...skills.skill_runner import CallResult, Runner
from ...skills.types import split_id


@dataclass
class GoalAttempt:
    """A running attempt.

    Args:
        environment: Of the task.
        runner: For moves that are skills.
        task_id: The task.
        seed: Of the environment.
    """

    environment: Environment
    runner: Runner
    task_id: str
    seed: int = 0
    moves: list[Move] = field(default_factory=list)
    facts: list[Mapping[str, Fact]] = field(default_factory=list)
    actions: list[tuple[str, ...]] = field(default_factory=list)
    calls: list[CallResult] = field(default_factory=list)
    over: bool = False
    """Whether the episode has ended."""

    def begin(self) -> None:
        """Start the task from its beginning."""
        self.environment.reset(self.task_id, seed=self.seed)
        self.moves, self.actions, self.calls = [], [], []
        self.facts = [dict(self.environment.facts())]
        self.over = False

    @property
    def now(self) -> Mapping[str, Fact]:
        """What holds now."""
        return self.facts[-1]

    @property
    def steps(self) -> int:
        """How many steps the environment took."""
        return sum(map(len, self.actions))

    def do(self, move: Move) -> Mapping[str, Fact]:
        """Make one move and return what holds then.

        Raises:
            EnvironmentFault: The environment broke.
        """
        taken: list[str] = []

        def note(action: str, done: Transition) -> None:
            taken.append(action)
            self.over = self.over or done.terminated or done.truncated

        self.environment.watcher = note
        try:
            self._keep_alive()
            if taken:  # a move of its own: what it brought, the next one did not
                self._made(Move(method=UPKEEP), taken)
            if not self.over:
                taken.clear()
                self._do(move)
        finally:
            self.environment.watcher = None
        self._made(move, taken)
        return self.now

    def _made(self, move: Move, taken: Sequence[str]) -> None:
        self.moves.append(move)
        self.actions.append(tuple(taken))
        self.facts.append(dict(self.environment.facts()))

    def _keep_alive(self) -> None:
        """Do what keeps the player alive, where the environment knows how."""
        keep = self.environment.api().get(UPKEEP)
        if keep is not None:
            with suppress(EpisodeOver):
                keep()

    def _do(self, move: Move) -> None:
        if move.method == "skill":
            name, _ = split_id(move.skill)
            skill = self.runner.skills[name]
            arguments = dict(zip(move.names, move.values, strict=True))
            called = self.runner.call(
                skill, arguments, self.environment, seed=self.seed, strict=False
            )
            self.calls.append(called)
            if called.outcome == "unknown":
                raise EnvironmentFault(called.reason)
            return
        try:
            self.environment.api()[move.method](*move.values)
        except (
            EpisodeOver,
            UsageError,
        ):  # the episode's end, or a call that is none: a move that did nothing
            return

    def told(self, first: int) -> list[str]:
        """Return the moves from the first on with their steps, each as JSON, for `again`."""
        return [
            json.dumps([move.model_dump(mode="json"), actions])
            for move, actions in zip(self.moves[first:], self.actions[first:], strict=True)
        ]

    def again(self, text: str) -> None:
        """Take the steps of a move that was told, and know it."""
        move, actions = json.loads(text)
        for action in actions:
            self.environment.step(action)
        self.moves.append(Move.model_validate(move))
        self.actions.append(tuple(actions))
        self.facts.append(dict(self.environment.facts()))
