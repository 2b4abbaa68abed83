"""What a ledger implies, ready to be read: the records of all memory modules, their trust, and credit."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from ...envs.errors import UsageError
from ..credit.credit import Credit
from ..kinds.case_module import CaseModule
from ..kinds.curation_module import CurationModule
from ..kinds.held_records import HeldRecords
from ..kinds.installed import make
from ..kinds.module import MemoryModule
from ..kinds.playbook_module import PlaybookModule
from ..ledger.content_id import content_id, evidence_of
from ..ledger.events import Evicted
from ..ledger.ledger import LedgerRow
from ..ledger.records import Case, EpisodeCase, MemoryRecord, StepCase, SubtaskCase, Trust
from ..likeness.features import Idf
from .fold import Fold

M = TypeVar("M", bound=MemoryModule)


class MemoryState:
    """Folds rows and holds what they imply.

    Args:
        modules: The kinds of memory.
    """

    def __init__(self, modules: Sequence[type[MemoryModule]]) -> None:
        self._modules = tuple(modules)
        self.generation = 0
        """Raised whenever something that could be retrieved is there no more."""
        self._start(self._fresh())

    def _fresh(self) -> Fold:
        """Return a fold that has read nothing yet."""
        return Fold(make(self._modules), rows_of=self.rows_of)

    def rows_of(self, episode: str) -> Iterable[LedgerRow]:
        """Return the rows of an episode, in order; none where there is no ledger."""
        return ()

    def _start(self, fold: Fold) -> None:
        """Go on with a fold, holding nothing."""
        self._fold = fold
        self.held = HeldRecords(fold.modules)
        """The records that can be retrieved: `held(StepCase)` gives those of a class, by id."""
        self._quarantined: dict[str, Trust] | None = None

    def _refold(self, rows: Iterable[LedgerRow]) -> None:
        """Fold from the beginning."""
        self._start(self._fresh())
        self.generation += 1
        for made in self._fold.apply(rows):
            self._hold(made)
        if self._fold.evicted:
            self._let_go(self._fold.evicted)

    def _apply(self, rows: Iterable[LedgerRow]) -> tuple[list[MemoryRecord], list[MemoryRecord]]:
        """Fold later rows; return the records that came, and those that were let go."""
        known = set(self._fold.evicted)
        came: dict[str, MemoryRecord] = {}
        gone: dict[str, MemoryRecord] = {}
        for made in self._fold.apply(rows):
            gone |= {record.id: record for record in self._hold(made)}
            came |= {record.id: record for record in made}
        self._quarantined = None
        gone |= {record.id: record for record in self._let_go(self._fold.evicted.keys() - known)}
        held = {i: record for i, record in came.items() if i in self.held(type(record))}
        return list(held.values()), [record for i, record in gone.items() if i not in held]

    def _hold(self, made: Sequence[MemoryRecord]) -> list[MemoryRecord]:
        """Hold new records; return those of the same episode, under an earlier verdict, that they replace."""
        judged = {record.episode for record in made}
        again = {episode for episode in judged if self.held.whole(episode) is not None}
        gone = self._let_go(again)
        self.held.hold(made)
        return gone

    def _let_go(self, episodes: Iterable[str]) -> list[MemoryRecord]:
        """Hold the records of these episodes no more, and return them."""
        names = set(episodes)
        gone = self.held.let_go(names) if names else []
        if gone:
            self.generation += 1
        self._quarantined = None
        return gone

    @property
    def episodes(self) -> Mapping[str, EpisodeCase]:
        """The cases of whole episodes, by id."""
        return self.held(EpisodeCase)

    @property
    def steps(self) -> Mapping[str, StepCase]:
        """The cases of steps, by id."""
        return self.held(StepCase)

    @property
    def subtasks(self) -> Mapping[str, SubtaskCase]:
        """The cases of subtasks, by id."""
        return self.held(SubtaskCase)

    def case(self, id: str) -> Case | None:
        """Return the case of any grain with this id, None when none is held."""
        return self.episodes.get(id) or self.subtasks.get(id) or self.steps.get(id)

    def records(self) -> list[MemoryRecord]:
        """Return everything that can be retrieved, of every kind."""
        return self.held.all()

    def whole(self, episode: str) -> EpisodeCase | None:
        """Return the case of a whole episode by the episode's id, None when it is not held."""
        return self.held.whole(episode)

    def module(self, kind: type[M]) -> M:
        """Return the module of a class as it is now; only read it.

        Raises:
            UsageError: The store was opened without it.
        """
        for module in self._fold.modules:
            if isinstance(module, kind):
                return module
        raise UsageError(f"this store was opened without the memory module {kind.name!r}")

    @property
    def idf(self) -> Idf:
        """How rare each feature is among the held steps."""
        return self.module(CaseModule).idf

    @property
    def fold(self) -> Fold:
        """What the ledger implies: credit, tombstones and more; only read it."""
        return self._fold

    @property
    def ranks(self) -> int:
        """How many episodes were learned, those included that a full memory let go."""
        return self._fold.episodes

    @property
    def credit(self) -> Credit:
        """Uplifts of the remembered episodes, from every episode that ended with a known outcome."""
        return self._fold.credit

    @property
    def evicted(self) -> Mapping[str, Evicted]:
        """Episodes that a full memory let go, with what was known of them."""
        return self._fold.evicted

    @property
    def pinned(self) -> Mapping[str, str]:
        """Episodes that a full memory never lets go, and why."""
        kept = (m.pinned for m in self._fold.modules if isinstance(m, CurationModule))
        return next(kept, {})

    @property
    def set_apart(self) -> Mapping[str, str]:
        """Episodes that a person quarantined, and why."""
        kept = (m.apart for m in self._fold.modules if isinstance(m, CurationModule))
        return next(kept, {})

    def forgot(self, task_id: str, actions: Sequence[str]) -> bool:
        """Return whether an episode of these actions was forgotten, so that it is not learned again."""
        return evidence_of(task_id, actions) in self._fold.tombstones

    @property
    def quarantined(self) -> Mapping[str, Trust]:
        """Records, by id, that are not retrieved: a tool that they used has another contract now, or a person
        said so."""
        if self._quarantined is None:
            self._quarantined = {}
            for module in self._fold.modules:
                self._quarantined |= module.distrusted(self.held)
        return self._quarantined

    def trust(self, record: MemoryRecord) -> Trust:
        """Return the trust state of a record now."""
        whole = self.whole(record.episode)
        shown = whole is not None and whole.source == "demonstration"
        return self.quarantined.get(record.id, "verified" if shown else "observed")

    def state_hash(self) -> str:
        """Return a hash over all folded records and their trust; a replay gives the same, bit for bit."""
        everything = {record.id: record for record in self.records()}
        said = [everything[i].model_dump_json() for i in sorted(everything)]
        said += [f"{i} {trust}" for i, trust in sorted(self.quarantined.items())]
        said += [f"pinned {episode}" for episode in sorted(self.pinned)]
        for module in self._fold.modules:
            if isinstance(module, PlaybookModule):
                said += [module.bullets[i].model_dump_json() for i in sorted(module.bullets)]
        return content_id(*said)
