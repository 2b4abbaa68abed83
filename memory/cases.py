"""Case memory: what a policy may ask of the store, as of a moment, honestly or as a placebo.

A view never changes the store; views frozen at several checkpoints can be used side by side.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from .features import Idf, hashed, state_features
from .retriever import RetrieverConfig, rank
from .store import Store
from .types import EpisodeCase, Hits, State, StepCase


class CaseMemory:
    """Reads over a store.

    Args:
        store: Where the cases are.
        config: Dials of a read.
        first: Freeze: see only the first so many learned episodes; None sees all, also later ones.
        placebo: A generator: the found cases' contents are exchanged for those of other cases, by one
            permutation drawn now (design.md, decision 8); None for the honest memory.
    """

    def __init__(
        self,
        store: Store,
        config: RetrieverConfig | None = None,
        *,
        first: int | None = None,
        placebo: np.random.Generator | None = None,
    ) -> None:
        self.store = store
        self.config = config or RetrieverConfig()
        self.first = first
        self._placebo = placebo.spawn(2) if placebo is not None else None

    @property
    def size(self) -> int:
        """How many episodes can be seen."""
        held = len(self.store.episodes)
        return held if self.first is None else min(held, self.first)

    @cached_property
    def _contents(self) -> dict[str, StepCase] | None:
        if self._placebo is None:
            return None
        seen = [c for c in self.store.steps.values() if self.first is None or c.rank < self.first]
        order = self._placebo[0].permutation(len(seen))
        return {case.id: seen[int(i)] for case, i in zip(seen, order, strict=True)}

    @cached_property
    def _whole(self) -> dict[str, EpisodeCase]:
        """For the placebo arm: the other episode that stands in the place of each; else nothing."""
        if self._placebo is None:
            return {}
        seen = [
            c for c in self.store.episodes.values() if self.first is None or c.rank < self.first
        ]
        order = self._placebo[1].permutation(len(seen))
        return {case.id: seen[int(i)] for case, i in zip(seen, order, strict=True)}

    @cached_property
    def _idf(self) -> Idf:
        """Document frequencies of what can be seen: a frozen view must not learn from later cases."""
        if self.first is None:
            return self.store.idf
        frozen = Idf()
        for case in self.store.steps.values():
            if case.rank < self.first:
                frozen.add(state_features(case.state))
        return frozen

    def read(
        self,
        state: State,
        *,
        env: str,
        family: str | None = None,
        admissible: Sequence[str] | None = None,
    ) -> Hits:
        """Return the cases nearest to a state, best first, or an abstention (AgentFly eq. 13).

        Args:
            state: Where the policy is.
            env: Name of the environment.
            family: The kind of task; cases of other kinds count for less.
            admissible: What can be done now, None for any text.
        """
        below = self.size
        if below == 0:
            return Hits(hits=(), considered=0, abstained=True)
        near = self.store.steps_index.near(
            hashed([state])[0], n=self.config.proposals, env=env, below=below
        )
        proposed = [self.store.steps[x.id] for x in near if x.id in self.store.steps]
        return rank(
            state,
            proposed,
            self._idf,
            self.config,
            family=family,
            admissible=admissible,
            contents=self._contents,
        )

    def episodes(self, goal: str, *, env: str, k: int) -> Sequence[tuple[EpisodeCase, float]]:
        """Return the k episodes whose goals are nearest to `goal` by the embedder, with their cosine."""
        if self.size == 0:
            return []
        vector = self.store.embedder.encode([goal])[0]
        near = self.store.episodes_index.near(vector, n=k, env=env, below=self.size)
        return [
            (self._whole.get(x.id, self.store.episodes[x.id]), x.cosine)
            for x in near
            if x.id in self.store.episodes
        ]
