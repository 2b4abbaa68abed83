"""A memory that says as much as the honest one, about other tasks: the control of what memory is worth.

The same cases are found, and the contents of others stand in their place, by one permutation that is drawn
when the view is made.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TypeVar

import numpy as np

from ....memory.credit.channel_weights import (
    ChannelWeights,
    KnownDecision,
    WeightPrior,
    fit,
)
from ....memory.ledger.records import EpisodeCase, StepCase, SubtaskCase
from ....memory.recall.case_memory import CaseMemory
from ....memory.recall.retriever import RetrieverConfig
from ....memory.store.store import Store

C = TypeVar("C", StepCase, EpisodeCase)


class PlaceboMemory(CaseMemory):
    """A view whose cases are exchanged.

    Args:
        store: Where the cases are.
        config: Settings of a read.
        first: See `CaseMemory`.
        rng: Draws the permutations, one of steps and one of whole episodes.
    """

    def __init__(
        self,
        store: Store,
        config: RetrieverConfig | None = None,
        *,
        first: int | None = None,
        rng: np.random.Generator,
    ) -> None:
        super().__init__(store, config, first=first)
        self._of_steps, self._of_wholes = rng.spawn(2)
        self.known: list[KnownDecision] = []
        """Decisions that say how far this placebo can be trusted."""

    def elsewhere(self) -> "PlaceboMemory":
        """Return itself: what it says of a task is another task's anyhow."""
        return self

    def weights(self, prior: WeightPrior, *, env: str, family: str, llm: str) -> ChannelWeights:
        """Return the weights after its own known decisions."""
        return fit(prior, self.known, model=bool(llm))

    @cached_property
    def _other_steps(self) -> dict[str, StepCase]:
        return _shuffled(list(filter(self._sees, self.store.steps.values())), self._of_steps)

    @cached_property
    def _other_wholes(self) -> dict[str, EpisodeCase]:
        return _shuffled(list(filter(self._sees, self.store.episodes.values())), self._of_wholes)

    def _content(self, case: StepCase) -> StepCase:
        return self._other_steps[case.id]

    def visible(self, env: str, task_id: str | None = None) -> Iterator[StepCase]:
        """Yield nothing: what calls came to must not be told."""
        return iter(())

    def episodes(
        self,
        goal: str,
        *,
        env: str,
        k: int,
        task_id: str | None = None,
        family: str | None = None,
    ) -> Sequence[tuple[EpisodeCase, float]]:
        """Return others in the place of the episodes found; none when there is no other."""
        if self.size < 2:
            return []
        found = super().episodes(goal, env=env, k=k, task_id=task_id, family=family)
        return [(self._other_wholes[case.id], cosine) for case, cosine in found]

    def subtasks(
        self, text: str, *, env: str, k: int, task_id: str | None = None, seen: str = ""
    ) -> Sequence[tuple[SubtaskCase, float]]:
        """Return nothing: shuffled subtasks would be those of another plan."""
        return []


def _shuffled(cases: Sequence[C], rng: np.random.Generator) -> dict[str, C]:
    """Return for every case's id another case, by one permutation without a fixed point."""
    order = rng.permutation(len(cases))
    return {cases[int(i)].id: cases[int(j)] for i, j in zip(order, np.roll(order, 1), strict=True)}
