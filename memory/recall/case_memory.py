"""Case memory: what a policy may ask of the store, as of a moment, honestly or as a placebo.

A view never changes the store; views frozen at several checkpoints can be used side by side.
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..credit.credit import Credit
from ..ledger.records import EpisodeCase, Hits, State, StepCase, SubtaskCase
from ..likeness.analogy import words
from ..likeness.features import Idf, hashed, state_features
from ..likeness.grounding import Wordings
from ..likeness.lexical import BM25
from ..likeness.vector_index import VectorIndex
from ..store.store import Store
from .q_head import QHead
from .retriever import RetrieverConfig, rank
from .selection import mix, select

STATE = 0.3
"""Share of the state in the order of subtasks, beside their texts."""
Case = TypeVar("Case", StepCase, EpisodeCase)
Whole = TypeVar("Whole", EpisodeCase, SubtaskCase)


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
        self._taken = 0
        """Trials that the head has learned from."""
        self._generation = store.generation
        self._credit: Credit | None = None
        self._lexical = {"episodes": BM25(), "subtasks": BM25()}

    @property
    def size(self) -> int:
        """How many episodes can be seen."""
        if self.first is None or not self.store.evicted:
            held = len(self.store.episodes)
            return held if self.first is None else min(held, self.first)
        return sum(map(self._sees, self.store.episodes.values()))

    @property
    def _below(self) -> int:
        """Rank of the first episode that cannot be seen."""
        ranks = self.store.ranks
        return ranks if self.first is None else min(ranks, self.first)

    def _sees(self, case: StepCase | EpisodeCase | SubtaskCase) -> bool:
        return self.first is None or case.rank < self.first

    def _may(self, case: StepCase | EpisodeCase | SubtaskCase, own: str | None) -> bool:
        """Return whether a case may be in an answer at all."""
        if case.id in self.store.quarantined:
            return False
        if own is None or self.config.same_task:
            return True
        whole = self.store.whole(case.episode)
        return whole is None or whole.task_id != own

    def visible(self, env: str, task_id: str | None = None) -> Iterator[StepCase]:
        """Yield the step cases of an environment that this view may show a task; a placebo has none."""
        if self._placebo is not None:
            return
        for case in self.store.steps.values():
            if case.env == env and self._sees(case) and self._may(case, task_id):
                yield case

    @property
    def credit(self) -> Credit:
        """What this view knows of the uplift of its items."""
        if self.first is None:
            return self.store.credit
        self._fresh()
        if self._credit is None:
            self._credit = self.store.fold.credit_as_of(self.first)
        return self._credit

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
        task_id: str | None = None,
    ) -> Hits:
        """Return the cases nearest to a state, best first, or an abstention (AgentFly eq. 13).

        Args:
            state: Where the policy is.
            env: Name of the environment.
            family: The kind of task; cases of other kinds count for less.
            admissible: What can be done now, None for any text.
            task_id: What is being done; its own earlier episodes are left out.
        """
        below = self._below
        if below == 0 or not self.store.episodes:
            return Hits(hits=(), considered=0, abstained=True)
        near = self.store.steps_index.near(
            hashed([state])[0], n=self.config.proposals, env=env, below=below
        )
        held = self.store.steps
        proposed = [
            case for x in near if (case := held.get(x.id)) is not None and self._may(case, task_id)
        ]
        return rank(
            state,
            proposed,
            self._idf,
            self.config,
            family=family,
            admissible=admissible,
            contents=self._contents,
        )

    def episodes(
        self, goal: str, *, env: str, k: int, task_id: str | None = None
    ) -> Sequence[tuple[EpisodeCase, float]]:
        """Return at most k whole episodes for a task, with the cosine of their goals with it, best first.

        Two stages: the index (and with `retriever.lexical` BM25) proposes, `selection` decides. By the
        similarity alone (eq. 13), or mixed with Q(s, c; theta) (eq. 16), BM25 and utility.

        Args:
            goal: The task in words.
            env: Name of the environment.
            k: How many.
            task_id: What is being done; its own earlier episodes are left out.
        """
        store = self.store
        if k < 1 or not store.episodes:
            return []
        if self._placebo is not None and self.size < 2:  # there is no other to stand in its place
            return []
        index = store.episodes_index
        found = self._whole_cases(goal, "episodes", index, store.episodes, env, k, task_id)
        return [(self._whole.get(case.id, case), cosine) for case, cosine in found]

    def subtasks(
        self, text: str, *, env: str, k: int, task_id: str | None = None, seen: str = ""
    ) -> Sequence[tuple[SubtaskCase, float]]:
        """Return at most k remembered subtasks like this one, with the cosine of their texts, best first.

        Of those that are near, the ones that began in a state like the one seen now come first.

        A placebo has none: shuffled subtasks would be those of another plan.
        """
        store = self.store
        if k < 1 or not store.subtasks or self._placebo is not None or not self.config.tools:
            return []
        index = store.subtasks_index
        found = self._whole_cases(text, "subtasks", index, store.subtasks, env, 3 * k, task_id)
        if not seen or not found:
            return found[:k]
        near = np.array([cosine for _, cosine in found])
        alike = Wordings([words(case.state) for case, _ in found]).likeness(words(seen))
        order = np.argsort(-mix(near, {"state": (STATE, alike)}), kind="stable")
        return [found[int(row)] for row in order[:k]]

    def _whole_cases(
        self,
        text: str,
        grain: Literal["episodes", "subtasks"],
        index: VectorIndex,
        held: Mapping[str, Whole],
        env: str,
        k: int,
        own: str | None,
    ) -> list[tuple[Whole, float]]:
        config = self.config
        mixing = config.lexical or config.parametric or config.utility or config.alpha
        wide = config.proposals if mixing or config.mmr < 1 else 4 * k
        vector = self.store.embedder.query(text)
        near = index.near(vector, n=wide, env=env, below=self._below)
        cosines = {x.id: x.cosine for x in near if x.id in held}
        lexical: dict[str, float] = {}
        if config.lexical:
            lexical = self._bm25(grain, text, held, env)
            fresh = [i for i in list(lexical)[:wide] if i not in cosines]
            if fresh:
                others = self.store.embedder.encode([_said(held[i]) for i in fresh])
                cosines |= dict(zip(fresh, (others @ vector).astype(float), strict=True))
        cases = [
            held[i]
            for i, cosine in sorted(cosines.items(), key=lambda x: (-x[1], x[0]))
            if cosine >= config.delta and self._may(held[i], own)
        ]
        if not (mixing or config.mmr < 1):  # by similarity alone: they are in order already
            return [(case, cosines[case.id]) for case in cases[:k]]
        if not cases:
            return []
        similarity = np.array([cosines[case.id] for case in cases])
        order = mix(
            similarity,
            {
                "lexical": (config.lexical, np.array([lexical.get(c.id, 0.0) for c in cases])),
                "q": (
                    config.parametric,
                    self._q(vector, cases) if config.parametric else similarity,
                ),
                "utility": (
                    config.utility,
                    np.array([self.credit.effect(case.episode) for case in cases]),
                ),
            },
        )
        vectors = (
            self.store.embedder.encode([_said(case) for case in cases]) if config.mmr < 1 else None
        )
        rng = np.random.default_rng(zlib.crc32(text.encode()))  # one task, one draw
        rows = select(order, vectors, k, alpha=config.alpha, mmr=config.mmr, rng=rng)
        return [(cases[row], float(similarity[row])) for row in rows]

    def _fresh(self) -> None:
        """Let go of what was learned from cases that are there no more."""
        if self._generation != self.store.generation:
            self._generation = self.store.generation
            self._head = self._credit = None
            self._lexical = {"episodes": BM25(), "subtasks": BM25()}

    def _bm25(
        self,
        grain: Literal["episodes", "subtasks"],
        text: str,
        held: Mapping[str, EpisodeCase] | Mapping[str, SubtaskCase],
        env: str,
    ) -> dict[str, float]:
        self._fresh()
        index = self._lexical[grain]
        for name, case in held.items():
            if self._sees(case):
                index.add(name, _said(case))
        return index.scores(text, lambda i: i in held and held[i].env == env)

    def _q(
        self, vector: NDArray[np.float32], cases: Sequence[EpisodeCase] | Sequence[SubtaskCase]
    ) -> NDArray[np.float64]:
        wholes = [self.store.whole(case.episode) for case in cases]
        others = self.store.embedder.encode([w.goal if w else "" for w in wholes]).astype(
            np.float64
        )
        wins = np.array([w.score if w else 0.0 for w in wholes])
        return self.head().q(vector.astype(np.float64), others, wins)

    def head(self) -> QHead:
        """Return Q's head, learned from what this view may know; learned again when something was forgotten."""
        trials = self.store.fold.trials
        self._fresh()
        if self._head is None:
            d = len(self.store.embedder.encode([""])[0])
            self._head, self._taken = QHead(d), 0
        if self._taken == len(trials):
            return self._head
        for trial in trials[self._taken :]:
            case = self.store.whole(trial.item)
            if case is None or (self.first is not None and trial.rank >= self.first):
                continue
            if case.task_id == trial.task_id:  # a task that found itself says nothing of retrieval
                continue
            query, other = self.store.embedder.encode([trial.goal, case.goal]).astype(np.float64)
            self._head.observe(trial.goal, query, other, case.score, trial.outcome)
        self._taken = len(trials)
        return self._head


def _said(case: EpisodeCase | SubtaskCase) -> str:
    """Return the text that a case is found by."""
    return case.text if isinstance(case, SubtaskCase) else case.goal


def _shuffled(cases: Sequence[Case], rng: np.random.Generator) -> dict[str, Case]:
    """Return for every case's id another case, by one permutation without a fixed point."""
    order = rng.permutation(len(cases))
    return {cases[int(i)].id: cases[int(j)] for i, j in zip(order, np.roll(order, 1), strict=True)}
