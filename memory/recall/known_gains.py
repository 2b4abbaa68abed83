"""What is known of the gains of an environment as a whole; kept until memory changes."""

from collections import deque
from collections.abc import Iterator
from typing import Protocol

from ..ledger.records import OwnSteps, StepCase
from ..store.store import Store
from .action_values import own_steps

LATEST = 20_000
"""Own steps that count: a second's work once an episode, however long the life."""


class SeesSteps(Protocol):
    """What is asked of a view of memory."""

    store: Store

    def seen(self, env: str) -> Iterator[StepCase]:
        """Yield the step cases of an environment that it sees."""

    def visible(self, env: str, task_id: str | None = None) -> Iterator[StepCase]:
        """Yield those that it may show a task."""


class KnownGains:
    """Sums over the step cases that a view sees.

    Args:
        view: Of the memory.
    """

    def __init__(self, view: SeesSteps) -> None:
        self._view = view
        self._at = (-1, -1)
        self._scales: dict[str, float] = {}
        self._own: tuple[tuple[str, str | None], OwnSteps] | None = None

    def scale(self, env: str) -> float:
        """Return the most that any step of an environment gained, 1 where nothing did."""
        self._forget_old()
        if env not in self._scales:
            self._scales[env] = max((one.gain for one in self._view.seen(env)), default=0.0)
        return self._scales[env] if self._scales[env] > 0 else 1.0

    def own_steps(self, env: str, task_id: str | None) -> OwnSteps:
        """Return what own steps gained by action, those of the task itself left out; kept for its episode."""
        self._forget_old()
        if self._own is None or self._own[0] != (env, task_id):
            seen = self._view.visible(env, task_id)
            latest = deque((case for case in seen if case.source == "own"), maxlen=LATEST)
            self._own = ((env, task_id), own_steps(latest))
        return self._own[1]

    def _forget_old(self) -> None:
        store = self._view.store
        now = (store.generation, len(store.steps))
        if now != self._at:
            self._at, self._scales, self._own = now, {}, None
