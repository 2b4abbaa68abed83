"""The arm `least-used`: the action that was taken least often comes first, over all training and this episode.

Pure count-based exploration without states (cf. Bellemare et al. 2016, whose pseudo-counts are over states).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...acting.situation import Situation
from .trivial_rule import TrivialRule


class LeastUsed(TrivialRule):
    """Prefers what it did least; returns are nothing to it."""

    name = "least-used"

    def __init__(self, *, learns: bool = False) -> None:
        super().__init__(learns=learns)
        self._uses: Counter[str] = Counter()

    def preferences(self, at: Situation, actions: Sequence[str]) -> NDArray[np.float64]:
        """See `TrivialRule.preferences`."""
        here = Counter(action for action, _ in at.history)
        return np.array([-float(self._uses[action] + here[action]) for action in actions])

    def state(self) -> dict[str, Any]:
        """See `TrivialRule.state`."""
        return {"uses": dict(self._uses)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """See `TrivialRule.restore`."""
        self._uses = Counter(state.get("uses", {}))

    def learned(self, actions: Sequence[str], rewards: Sequence[float], score: float) -> None:
        """See `TrivialRule.learned`."""
        self._uses.update(actions)
