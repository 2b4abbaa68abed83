"""Case memory: what a policy may ask of the store, as of a moment.

A view never changes the store; views frozen at several checkpoints can be used side by side.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..credit.channel_weights import ChannelWeights, WeightPrior
from ..credit.credit import Credit
from ..kinds.channel_module import ChannelModule
from ..kinds.playbook_module import Bullet, PlaybookModule
from ..kinds.tool_module import Contracts
from ..ledger.namespaces import EVERYONE, checked, layers
from ..ledger.records import EpisodeCase, Hits, MemoryRecord, State, StepCase, SubtaskCase, Trust
from ..likeness.features import Idf, hashed, state_features
from ..likeness.grounding import Wordings
from ..likeness.words import words
from ..store.store import Store
from .known_gains import KnownGains
from .old_cases import OldCases
from .retriever import STRANGER, RetrieverConfig, rank

STATE = 0.3
"""Share of the state in the order of subtasks, beside their texts."""
NEAR = 64
"""Records that the index proposes by their text."""
PROPOSALS = 96
"""Step cases that the index proposes to the exact kernel."""
R = TypeVar("R", bound=MemoryRecord)


class CaseMemory:
    """Reads over a store.

    Args:
        store: Where the cases are.
        config: Settings of a read.
        first: Freeze: see only the first so many learned episodes; None sees all, also later ones.
        namespace: Whose view it is: it sees what is in this namespace and in the layers around it.
        contracts: Of tools that only this view's user has; what was learned with others of their names is not
            for him, and trusted as before by everybody else.
    """

    def __init__(
        self,
        store: Store,
        config: RetrieverConfig | None = None,
        *,
        first: int | None = None,
        namespace: str = EVERYONE,
        contracts: Contracts | None = None,
    ) -> None:
        self.store = store
        self.config = config or RetrieverConfig()
        self.first = first
        self.namespace = checked(namespace)
        self._spaces = layers(namespace)
        self._generation = store.generation
        self._credit: Credit | None = None
        self._gains = KnownGains(self)
        self._contracts = contracts
        self._others: tuple[tuple[int, int], Mapping[str, Trust]] = ((-1, -1), {})
        self._old = OldCases(store, self._sees)

    @property
    def size(self) -> int:
        """How many episodes can be seen."""
        return sum(map(self._sees, self.store.episodes.values()))

    @property
    def learned(self) -> int:
        """How many episodes were learned by its moment, those included that were let go since."""
        ranks = self.store.ranks
        return ranks if self.first is None else min(ranks, self.first)

    def weights(self, prior: WeightPrior, *, env: str, family: str, llm: str) -> ChannelWeights:
        """Return how much each channel counts for a model in an environment (see `ChannelModule.weights`)."""
        known = self.store.module(ChannelModule)
        return known.weights(prior, env=env, family=family, llm=llm, first=self.first)

    def playbook(self, env: str) -> tuple[Bullet, ...]:
        """Return the bullets of an environment, without those written when more was learned than it sees."""
        held = self.store.module(PlaybookModule).of(env)
        return tuple(one for one in held if self.first is None or one.learned <= self.first)

    def _sees(self, record: MemoryRecord) -> bool:
        seen = self.first is None or record.rank < self.first
        return seen and record.namespace in self._spaces

    def _may(self, record: MemoryRecord, own: str | None) -> bool:
        """Return whether a record may be in an answer at all."""
        if self._distrusts(record):
            return False
        if own is None or self.config.same_task:
            return True
        whole = self.store.whole(record.episode)
        return whole is None or whole.task_id != own

    def _distrusts(self, record: MemoryRecord) -> bool:
        """Return whether a record was learned with other tools than those of now, or of this view."""
        if record.id in self.store.quarantined:
            return True
        if self._contracts is None:
            return False
        now = (self.store.generation, len(self.store.steps))
        if now != self._others[0]:
            store, known = self.store, self._contracts
            self._others = (
                now,
                known.distrusted(
                    store.episodes.values(), store.steps.values(), store.subtasks.values()
                ),
            )
        return record.id in self._others[1]

    def is_old(self, record: MemoryRecord) -> bool:
        """Return whether a record is from before a change: success fell in its kind of task since."""
        return self._old.is_old(record)

    def _counts(self, record: MemoryRecord, family: str | None) -> float:
        """Return how much the likeness of a record counts: less of another kind, or from before a change."""
        strange = family is not None and record.family != family
        return STRANGER ** (strange + self.is_old(record))

    def elsewhere(self) -> "CaseMemory":
        """Return the same view for whom a task's own earlier episodes are always left out."""
        config = self.config.model_copy(update={"same_task": False})
        return CaseMemory(
            self.store,
            config,
            first=self.first,
            namespace=self.namespace,
            contracts=self._contracts,
        )

    def wholes(self, env: str) -> Iterator[EpisodeCase]:
        """Yield the cases of whole episodes of an environment that this view sees, in the order learned."""
        held = sorted(self.store.episodes.values(), key=lambda case: case.rank)
        return (
            case for case in held if case.env == env and self._sees(case) and self._may(case, None)
        )

    def visible(self, env: str, task_id: str | None = None) -> Iterator[StepCase]:
        """Yield the step cases of an environment that this view may show a task."""
        for case in self.store.steps.values():
            if case.env == env and self.may_show(case, task_id):
                yield case

    def seen(self, env: str) -> Iterator[StepCase]:
        """Yield the step cases of an environment that this view sees."""
        return (case for case in self.store.steps.values() if case.env == env and self._sees(case))

    def may_show(self, record: MemoryRecord, task_id: str | None = None) -> bool:
        """Return whether this view sees a record, and may show it to a task."""
        return self._sees(record) and self._may(record, task_id)

    def steps_of(self, whole: EpisodeCase) -> tuple[StepCase, ...]:
        """Return the steps of an episode in order; none where one of them may not be retrieved."""
        if not self._sees(whole):
            return ()
        taken = self.store.held.of_episode(StepCase, whole.episode)
        if any(map(self._distrusts, taken)):
            return ()
        return tuple(sorted(taken, key=lambda case: case.index))

    @property
    def credit(self) -> Credit:
        """What this view knows of the uplift of its items."""
        if self.first is None:
            return self.store.credit
        if self._generation != self.store.generation:  # some of its cases are there no more
            self._generation, self._credit = self.store.generation, None
        if self._credit is None:
            self._credit = self.store.fold.credit_as_of(self.first)
        return self._credit

    @property
    def _idf(self) -> Idf:
        """Document frequencies of what can be seen."""
        return self.store.idf if self.first is None else self._frozen_idf

    @cached_property
    def _frozen_idf(self) -> Idf:
        """Those of a frozen view, which must not learn from later cases."""
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
        below = self.learned
        if below == 0 or not self.store.episodes:
            return Hits(hits=(), considered=0, abstained=True)
        near = self.store.index(StepCase).near(
            hashed([state])[0], n=PROPOSALS, env=env, below=below, spaces=self._spaces
        )
        held = self.store.steps
        proposed = [
            case for x in near if (case := held.get(x.id)) is not None and self._may(case, task_id)
        ]
        found = rank(
            state,
            proposed,
            self._idf,
            self.config,
            counts=lambda case: self._counts(case, family),
            admissible=admissible,
            content=self._content,
        )
        if not found.hits:
            return found
        known = self._gains
        return found.model_copy(
            update={"scale": known.scale(env), "own": known.own_steps(env, task_id)}
        )

    def _content(self, case: StepCase) -> StepCase:
        """Return the case whose action and gain are shown where `case` is found: itself."""
        return case

    def find(
        self,
        record: type[R],
        text: str,
        *,
        env: str,
        k: int,
        task_id: str | None = None,
        family: str | None = None,
    ) -> list[tuple[R, float]]:
        """Return at most k records of a class that are indexed by text, with their likeness, best first.

        Args:
            record: Class of the records, of any memory module of the store.
            text: What is looked for.
            env: Name of the environment.
            k: How many.
            task_id: What is being done; what its own earlier episodes left is left out.
            family: The kind of task; the cosines of records of other kinds count for less. None: for as much.
        """
        held = self.store.held(record)
        if k < 1 or not held:
            return []
        vector = self.store.embedder.query(text)
        near = self.store.index(record).near(
            vector, n=max(4 * k, NEAR), env=env, below=self.learned, spaces=self._spaces
        )
        found = [
            (held[x.id], x.cosine * self._counts(held[x.id], family))
            for x in near
            if x.id in held and x.cosine >= self.config.delta and self._may(held[x.id], task_id)
        ]
        found.sort(key=lambda pair: -pair[1])
        return found[:k]

    def episodes(
        self,
        goal: str,
        *,
        env: str,
        k: int,
        task_id: str | None = None,
        family: str | None = None,
    ) -> Sequence[tuple[EpisodeCase, float]]:
        """Return at most k whole episodes for a task, with the likeness of their goals to it, best first.

        Args:
            goal: The task in words.
            env: Name of the environment.
            k: How many.
            task_id: What is being done; its own earlier episodes are left out.
            family: The kind of task, as in `read`.
        """
        return self.find(EpisodeCase, goal, env=env, k=k, task_id=task_id, family=family)

    def subtasks(
        self, text: str, *, env: str, k: int, task_id: str | None = None, seen: str = ""
    ) -> Sequence[tuple[SubtaskCase, float]]:
        """Return at most k remembered subtasks like this one, with the cosine of their texts, best first.

        Of those that are near, the ones that began in a state like the one seen now come first.
        """
        if not self.config.tools:
            return []
        found = self.find(SubtaskCase, text, env=env, k=3 * k, task_id=task_id)
        if not seen or not found:
            return found[:k]
        near = np.array([cosine for _, cosine in found])
        alike = Wordings([words(case.state) for case, _ in found]).likeness(words(seen))
        order = np.argsort(-((1 - STATE) * _zscored(near) + STATE * _zscored(alike)), kind="stable")
        return [found[int(row)] for row in order[:k]]


def _zscored(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the values with mean 0 and deviation 1; zeros when they are all alike."""
    spread = float(values.std())
    if spread < 1e-9:
        return np.zeros_like(values)
    scored: NDArray[np.float64] = (values - values.mean()) / spread
    return scored
