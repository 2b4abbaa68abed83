"""The arm `action-table`: the mean return of every action's text, epsilon-greedy in training, greedy after it.

A bandit over actions (Sutton and Barto 2018, section 2.2): whatever the state, what brought more is done again.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...acting.situation import Situation
from .trivial_rule import TrivialRule


class ActionTable(TrivialRule):
    """Prefers the greatest mean return-to-go: the discounted sum of the rewards from the action on.

    An action that was never taken is worth the mean of all. Of those that are worth the same, one that was not
    taken yet in this episode comes first: else the greedy arm stood still before its first reward.

    Args:
        learns: Whether this is a training episode: then `epsilon` of the actions are taken at random.
        epsilon: In [0, 1].
        discount: Per step, in [0, 1].
    """

    name = "action-table"

    def __init__(
        self, *, learns: bool = False, epsilon: float = 0.2, discount: float = 0.95
    ) -> None:
        super().__init__(learns=learns)
        self._epsilon, self._discount = epsilon, discount
        self._sums: dict[str, tuple[int, float]] = {}
        """Action -> how often it was taken, and the sum of its returns."""

    def preferences(self, at: Situation, actions: Sequence[str]) -> NDArray[np.float64]:
        """See `TrivialRule.preferences`."""
        if self.learns and at.rng.random() < self._epsilon:
            return np.zeros(len(actions))
        taken = sum(n for n, _ in self._sums.values())
        middle = sum(total for _, total in self._sums.values()) / taken if taken else 0.0
        done = {action for action, _ in at.history}
        worth = [
            self._sums[a][1] / self._sums[a][0] if a in self._sums else middle for a in actions
        ]
        # 1e-9: breaks ties only
        return np.round(np.array(worth), 8) - 1e-9 * np.array([float(a in done) for a in actions])

    def state(self) -> dict[str, Any]:
        """See `TrivialRule.state`."""
        return {"sums": {action: list(known) for action, known in self._sums.items()}}

    def restore(self, state: Mapping[str, Any]) -> None:
        """See `TrivialRule.restore`."""
        self._sums = {a: (int(n), float(total)) for a, (n, total) in state.get("sums", {}).items()}

    def learned(self, actions: Sequence[str], rewards: Sequence[float], score: float) -> None:
        """See `TrivialRule.learned`."""
        ahead = 0.0
        for action, reward in zip(reversed(actions), reversed(rewards), strict=True):
            ahead = reward + self._discount * ahead
            n, total = self._sums.get(action, (0, 0.0))
            self._sums[action] = n + 1, total + ahead
