"""What the adapters share: counting steps, truncation, the score's range, the errors of the protocol.

An adapter says what is seen; this file makes observations and transitions of it.
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from .base import Environment
from .errors import UnknownName, UsageError
from .text import whole
from .types import Observation, Task, Transition


@dataclass(frozen=True)
class Seen:
    """What an adapter's back end shows after an action."""

    text: str
    goal: str
    admissible: tuple[str, ...] | None
    score: float
    """Raw; clamped to [0, 1] before anyone sees it."""
    won: bool
    lost: bool = False
    """The task cannot be won any more, by the environment's own word."""
    inventory: str = ""
    look: str = ""
    error: str = ""
    """Why the action was refused; empty when it was taken."""
    reworded: bool = False
    """See `Observation.reworded`."""
    request: bool = False
    """See `Observation.request`."""


class Adapter(Environment):
    """An environment over a back end that shows `Seen`."""

    def __init__(self) -> None:
        self._task: Task | None = None
        self._last: Observation | None = None
        self._over = False
        self._odd: dict[str, str] = {}
        """Actions that are told otherwise than the back end writes them (see `text.whole`)."""

    @abstractmethod
    def _start(self, task: Task, seed: int) -> Seen:
        """Begin the task in the back end."""

    @abstractmethod
    def _act(self, action: str) -> Seen:
        """Take the action in the back end."""

    def reset(self, task_id: str, *, seed: int = 0) -> Observation:
        """Start a task from its beginning; see `Environment.reset`."""
        task = self.task(task_id)
        self._last, self._task, self._over = None, task, False
        seen = self._start(task, seed)
        self._last = self._observation(seen, 0)
        return self._last

    def step(self, action: str) -> Transition:
        """Take one action; see `Environment.step`."""
        if self._last is None:
            raise UsageError(f"{self.name}: step was called before reset")
        if self._over:
            raise UsageError(f"{self.name}: the episode is over; call reset")
        before = self._last
        seen = self._act(self._odd.get(action, action))
        self._last = self._observation(seen, before.steps + 1)
        terminated = seen.won or seen.lost
        truncated = not terminated and self._last.steps >= self.max_steps
        self._over = terminated or truncated
        done = Transition(
            observation=self._last,
            reward=self._last.score - before.score,
            terminated=terminated,
            truncated=truncated,
            error=seen.error or _refusal(action, before),
        )
        if self.watcher is not None:
            self.watcher(action, done)
        return done

    def seen(self) -> Observation:
        """Return what was observed last; see `Environment.seen`."""
        if self._last is None:
            raise UsageError(f"{self.name}: reset was not called")
        return self._last

    def _observation(self, seen: Seen, steps: int) -> Observation:
        self._odd = {told: a for a in seen.admissible or () if (told := whole(a)) != a}
        return Observation(
            text=seen.text,
            goal=seen.goal,
            admissible=None if seen.admissible is None else tuple(sorted(set(seen.admissible))),
            score=min(1.0, max(0.0, seen.score)),
            won=seen.won,
            task=self._current,
            steps=steps,
            inventory=seen.inventory,
            look=seen.look,
            reworded=seen.reworded,
            request=seen.request,
        )

    @property
    def _current(self) -> Task:
        if self._task is None:
            raise UsageError(f"{self.name}: reset was not called")
        return self._task

    def _chosen(self, families: Sequence[str] | None) -> tuple[str, ...]:
        """Return the families asked for, all when None.

        Raises:
            UnknownName: There is no such family.
        """
        known = self.families()
        for family in families or ():
            if family not in known:
                raise UnknownName(f"family of {self.name}", family, known)
        return known if families is None else tuple(families)


def _refusal(action: str, before: Observation) -> str:
    """Return why an action was none, where the environment says what it accepts."""
    if before.admissible is None or before.reworded or action in before.admissible:
        return ""
    return "not among the admissible actions"
