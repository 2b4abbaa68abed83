"""What the trivial arms share: a policy that asks no model and looks at no state, only at the texts of actions.

They keep a comparison honest: a memory that does not beat them has learned nothing. They see the same options
as every arm (admissible actions, or candidate calls), and draw from the generator of the decision.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....memory.credit.channel_weights import CHANNELS
from ...acting.opinion import SILENT_OPINION
from ...acting.policy import Decision, Policy, PolicyConfig, Weighted
from ...acting.situation import Situation
from ...llm.talking import Turn

ALONE = PolicyConfig(llm=False, context=False, value=False)
"""Neither a model nor a memory."""


class TrivialRule(Policy):
    """Takes the option that it prefers; ties at random.

    What it knows is its `state`, plain JSON, which whoever runs it keeps from episode to episode.

    Args:
        learns: Whether this is a training episode.
    """

    name: str

    def __init__(self, *, learns: bool = False) -> None:
        super().__init__(ALONE, None, learns=learns)
        self.learns = learns

    async def weighted(
        self, at: Situation, talk: Sequence[Turn] = (), *, whole: bool = False
    ) -> Weighted:
        """Return the decision; the channels say nothing. Where nothing can be named, nothing is done."""
        actions = tuple(dict.fromkeys(at.written(a) for a in at.actions)) or ("",)
        liked = self.preferences(at, actions)
        noise = at.rng.random(len(actions))
        row = int(np.lexsort((noise, -liked))[0])
        best = liked == liked.max()
        decision = Decision(
            action=actions[row],
            probability=float(1.0 / best.sum()),
            kl=None,
            considered=len(actions),
            scored=0,
        )
        features = np.zeros((len(actions), len(CHANNELS)))
        return Weighted(decision, actions, features, SILENT_OPINION, decision.probability)

    @abstractmethod
    def preferences(self, at: Situation, actions: Sequence[str]) -> NDArray[np.float64]:
        """Return how much each option is preferred, shape (n,); only the order counts."""

    def state(self) -> dict[str, Any]:
        """Return all that it learned, as JSON."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` gave."""

    def learned(self, actions: Sequence[str], rewards: Sequence[float], score: float) -> None:
        """Learn from an ended episode; called once after each training episode.

        Args:
            actions: Taken, n of them, oldest first.
            rewards: Change of the score by each, n of them.
            score: Of the whole episode, in [0, 1].
        """
