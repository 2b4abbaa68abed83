"""One attempt in an environment, move by move: what was done and what it changed, for skills to be made of.

A move is a call of the environment's API or of a skill. Moves can be played again from the beginning, and
what a goal did not need is dropped (delta debugging, Zeller and Hildebrandt 2002, one move at a time).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from ...envs.base import Environment
from ...envs.errors import EnvironmentFault, EpisodeOver, UsageError
from ...envs.types import Fact, Transition
from ...skills.induction.text import UPKEEP
from ...skills.induction.traces import Move, Trace
from ...skills.skill_runner import CallResult, Runner
from ...skills.types import split_id

Reached = Callable[[Mapping[str, Fact]], bool]
"""Whether the goal holds, by the facts."""


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
    offered: list[tuple[str, ...]] = field(default_factory=list)
    calls: list[CallResult] = field(default_factory=list)
    over: bool = False
    """Whether the episode has ended."""

    def begin(self) -> None:
        """Start the task from its beginning."""
        self.environment.reset(self.task_id, seed=self.seed)
        self.moves, self.actions, self.offered, self.calls = [], [], [], []
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
        before = self.environment.seen()

        def note(action: str, done: Transition) -> None:
            taken.append(action)
            self.over = self.over or done.terminated or done.truncated

        self.environment.watcher = note
        try:
            self._keep_alive()
            if not self.over:
                self._do(move)
        finally:
            self.environment.watcher = None
        self.moves.append(move)
        self.actions.append(tuple(taken))
        self.offered.append(before.admissible or ())
        self.facts.append(dict(self.environment.facts()))
        return self.now

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
        self.offered.append(self.environment.seen().admissible or ())
        for action in actions:
            self.environment.step(action)
        self.moves.append(Move.model_validate(move))
        self.actions.append(tuple(actions))
        self.facts.append(dict(self.environment.facts()))

    def trace(self, goal: str, *, listed: bool) -> Trace:
        """Return what was done as a trajectory for induction.

        Args:
            goal: In words.
            listed: Whether the environment's list of what it accepts says something.
        """
        return Trace(
            env=self.environment.name,
            task_id=self.task_id,
            seed=self.seed,
            goal=goal,
            moves=tuple(self.moves),
            facts=tuple(self.facts),
            actions=tuple(self.actions),
            offered=tuple(self.offered) if listed else (),
        )


def replayed(attempt: GoalAttempt, moves: Sequence[Move], reached: Reached) -> bool:
    """Play moves from the beginning until the goal holds; return whether it came to hold."""
    attempt.begin()
    for move in moves:
        if attempt.over:
            break
        if reached(attempt.do(move)):
            return True
    return False


def minimal(attempt: GoalAttempt, moves: Sequence[Move], reached: Reached) -> list[Move]:
    """Return moves that suffice: none of them can be left out alone.

    The attempt is afterwards where these moves lead.

    Args:
        attempt: To play in.
        moves: That reached the goal.
        reached: The goal.
    """
    needed = list(moves)
    place = len(needed) - 2  # the last one reached it
    while place >= 0:
        shorter = needed[:place] + needed[place + 1 :]
        if replayed(attempt, shorter, reached):
            needed = list(attempt.moves)
            place = min(place, len(needed) - 1)
        place -= 1
    if not replayed(attempt, needed, reached):
        return []
    return needed
