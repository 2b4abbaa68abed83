"""Case memory: what a policy may ask of the store, as of a moment, honestly or as a placebo.

A view never changes the store; views frozen at several checkpoints can be used side by side.
"""

import zlib
from collections.abc import Sequence
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from .features import Idf, hashed, state_features
from .fold import Trial
from .qhead import QHead, mixed, pick
from .retriever import RetrieverConfig, rank
from .store import Store
from .types import EpisodeCase, Hits, State, StepCase

Case = TypeVar("Case", StepCase, EpisodeCase)


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
        self._head: QHead | None = None
        self._head_of: Sequence[Trial] = ()
        self._taken = 0

    @property
    def size(self) -> int:
        """How many episodes can be seen."""
        held = len(self.store.episodes)
        return held if self.first is None else min(held, self.first)

    def _sees(self, case: StepCase | EpisodeCase) -> bool:
        return self.first is None or case.rank < self.first

    @cached_property
    def _contents(self) -> dict[str, StepCase] | None:
        """For the placebo arm: the other step that stands in the place of each."""
        if self._placebo is None:
            return None
        return _shuffled(list(filter(self._sees, self.store.steps.values())), self._placebo[0])

    @cached_property
    def _whole(self) -> dict[str, EpisodeCase]:
        """For the placebo arm: the other episode that stands in the place of each; else nothing."""
        if self._placebo is None:
            return {}
        return _shuffled(list(filter(self._sees, self.store.episodes.values())), self._placebo[1])

    @cached_property
    def _idf(self) -> Idf:
        """Document frequencies of what can be seen: a frozen view must not learn from later cases."""
        if self.first is None:
            return self.store.idf
        frozen = Idf()
        for case in self.store.steps.values():
            if self._sees(case):
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
        """Return k episodes for a task, with the cosine of their goals with it, best first.

        By the similarity alone (eq. 13), or with `retriever.parametric` by its z-scored mix with
        Q(s, c; theta) (eq. 16) over the nearest `retriever.proposals`; with `retriever.alpha` drawn (eq. 7).
        """
        if self.size == 0 or k < 1:
            return []
        share, alpha = self.config.parametric, self.config.alpha
        vector = self.store.embedder.encode([goal])[0]
        wide = self.config.proposals if share or alpha else k
        near = self.store.episodes_index.near(vector, n=wide, env=env, below=self.size)
        found = [(self.store.episodes[x.id], x.cosine) for x in near if x.id in self.store.episodes]
        if found and (share or alpha):
            scores = np.array([cosine for _, cosine in found], np.float64)
            if share:
                scores = mixed(scores, self._q(vector, [case for case, _ in found]), share)
            rng = np.random.default_rng(zlib.crc32(goal.encode()))  # one task, one draw
            found = [found[row] for row in pick(scores, k, alpha, rng)]
        return [(self._whole.get(case.id, case), cosine) for case, cosine in found]

    def _q(self, vector: NDArray[np.float32], cases: Sequence[EpisodeCase]) -> NDArray[np.float64]:
        others = self.store.embedder.encode([case.goal for case in cases]).astype(np.float64)
        wins = np.array([case.score for case in cases])
        return self.head().q(vector.astype(np.float64), others, wins)

    def head(self) -> QHead:
        """Return Q's head, learned from what this view may know; learned again when something was forgotten."""
        trials = self.store.trials
        if self._head is None or self._head_of is not trials:
            d = len(self.store.embedder.encode([""])[0])
            self._head, self._head_of, self._taken = QHead(d), trials, 0
        if self._taken == len(trials):
            return self._head
        held = {case.episode: case for case in self.store.episodes.values()}
        for trial in trials[self._taken :]:
            case = held.get(trial.item)
            if case is None or (self.first is not None and trial.rank >= self.first):
                continue
            query, other = self.store.embedder.encode([trial.goal, case.goal]).astype(np.float64)
            self._head.observe(trial.goal, query, other, case.score, trial.outcome)
        self._taken = len(trials)
        return self._head


def _shuffled(cases: Sequence[Case], rng: np.random.Generator) -> dict[str, Case]:
    """Return for every case's id another case, by one permutation."""
    order = rng.permutation(len(cases))
    return {case.id: cases[int(i)] for case, i in zip(cases, order, strict=True)}
