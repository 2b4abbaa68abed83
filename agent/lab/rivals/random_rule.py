"""The arm `random`: any option, each with the same chance."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...acting.situation import Situation
from .trivial_rule import TrivialRule


class RandomRule(TrivialRule):
    """Prefers nothing, and learns nothing."""

    name = "random"

    def preferences(self, at: Situation, actions: Sequence[str]) -> NDArray[np.float64]:
        """See `TrivialRule.preferences`."""
        return np.zeros(len(actions))
