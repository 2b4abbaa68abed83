"""The stage: keeps one environment in step with an episode's actions, and the trail that they left.

It plays actions and, when a run resumes, plays the recorded ones again. It knows no memory and no model.
"""

import hashlib
import time
from collections.abc import Sequence
from typing import NamedTuple

from ...envs.base import Environment
from ...envs.errors import EnvironmentFault
from ...envs.journal import Journal
from ...envs.tools import Call
from ...envs.types import Observation, Transition
from ...memory.likeness.words import words
from ..acting.working_memory import WorkingMemory


class Played(NamedTuple):
    """One step that was taken."""

    before: Observation
    """What was seen when it was chosen."""
    action: str
    done: Transition
    call: Call | None
    """The action as a call of a tool."""
    took_ms: float = 0.0
    """What the environment took for it; 0 for a step inside a skill."""


class Stage:
    """An environment at one task.

    Args:
        environment: Opened; it is reset at the first `sync`.
        task_id: What is done in it.
        seed: Of the reset.
    """

    def __init__(self, environment: Environment, task_id: str, *, seed: int) -> None:
        self.environment = environment
        self.task_id, self.seed = task_id, seed
        self.journal: Journal | None = None
        """Of the episode that runs; None: calls are just made."""
        self.actions: list[str] = []
        """Taken so far, oldest first."""
        self.observations: list[Observation] = []
        """What was seen: one more than there are actions; empty before the first `sync`."""
        self.refused: set[tuple[str, str]] = set()
        """(action, answer) pairs of what was refused."""
        self.working = WorkingMemory(calls=self.calls)
        self.ended = False
        """Whether the environment ended the episode."""

    @property
    def calls(self) -> bool:
        """Whether actions are calls of tools."""
        return self.environment.action_mode == "tool_call"

    @property
    def seen(self) -> Observation:
        """The last observation."""
        return self.observations[-1]

    @property
    def history(self) -> list[tuple[str, str]]:
        """(action, answer) pairs so far, oldest first."""
        answers = [seen.text for seen in self.observations[1:]]
        return list(zip(self.actions, answers, strict=True))

    @property
    def made(self) -> list[Call]:
        """The calls so far that were not refused, oldest first."""
        taken = (action for action, said in self.history if (action, said) not in self.refused)
        return [self.environment.call(action) for action in taken]

    def sync(self, actions: Sequence[str], *, digest: str = "") -> Observation:
        """Bring the environment to where these actions lead, and return what is seen there.

        Args:
            actions: Of the episode, oldest first.
            digest: Of what was seen there before (see `digest_of`); empty: not known.

        Raises:
            EnvironmentFault: The environment broke, or replayed the same actions differently.
        """
        if not self.observations or self.actions != list(actions):
            self._replay(actions)
            if digest and digest != digest_of(self.seen):
                raise EnvironmentFault(
                    f"{self.task_id} did not come to the same place when its "
                    f"{len(actions)} actions were replayed"
                )
        return self.seen

    def rewind(self) -> None:
        """Bring the environment back to what was noted last, from calls that were not noted yet."""
        self._replay(self.actions)

    def _replay(self, actions: Sequence[str]) -> None:
        taken = list(actions)  # beginning anew empties the stage's own
        self._begin()
        for action in taken:
            self.play(action)

    def _begin(self) -> None:
        self.environment.journal = self.journal
        first = self.environment.reset(self.task_id, seed=self.seed)
        self.actions, self.observations, self.ended = [], [first], False
        self.refused = set()
        self.working = WorkingMemory(calls=self.calls)
        self.working.begin(first)

    def play(self, action: str) -> Played:
        """Take one action and note it."""
        call = self.environment.call(action)
        start = time.perf_counter()
        done = self.environment.step(action)
        took = (time.perf_counter() - start) * 1000
        return self.note(action, done, call=call, took_ms=took)

    def note(
        self, action: str, done: Transition, *, call: Call | None = None, took_ms: float = 0.0
    ) -> Played:
        """Note a step that the environment has taken already, by `play` or inside a skill."""
        before = self.seen
        self.working.note(before, action, done.observation)
        self.observations.append(done.observation)
        self.actions.append(action)
        if done.error:
            self.refused.add((action, done.observation.text))
        self.ended = done.terminated or done.truncated
        return Played(before, action, done, call, took_ms)


def digest_of(seen: Observation) -> str:
    """Return a hash of what an observation says, whatever the order in which it says it.

    ScienceWorld lists the same things in another order at every reset.
    """
    said = sorted(words(f"{seen.text} {seen.look} {seen.inventory}"))
    return hashlib.sha256(" ".join(said).encode()).hexdigest()[:16]
