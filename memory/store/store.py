"""The store: one folder with the ledger and everything derived from it, kept equal at opening.

    ledger.sqlite   the events (the truth), the projected cases, cached embeddings
    index/          Chroma, derived
    lock            held while a process may write

State is folded from the ledger when the store is opened; the projection and the index are then compared
with it and repaired, never asserted.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from filelock import FileLock

from ...envs.errors import UsageError
from ..credit.credit import Credit
from ..kinds.derive import Learned, content_id, evidence_of
from ..ledger.errors import StoreUnwritable
from ..ledger.events import Evicted
from ..ledger.ledger import Entry, Ledger
from ..ledger.lock import claim
from ..ledger.records import Case, EpisodeCase, StepCase, SubtaskCase, Trust
from ..ledger.sqlite import flush, open_sqlite
from ..likeness.embedder import CachedEmbedder, Embedder, open_embedder
from ..likeness.features import Idf, state_features
from ..likeness.vector_index import VectorIndex
from .case_table import Projection
from .fold import Fold
from .indexes import Indexes
from .snapshot import EVERY, Snapshots

_log = logging.getLogger(__name__)


class Store:
    """Everything one agent remembers, in one folder.

    Args:
        folder: Created when it is missing.
        read_only: Only look: no lock, no index, nothing is repaired.
        embedder: For tasks' texts; `minilm` when None.
        index_url: `http://host:port` of a Chroma server in the place of the embedded index.
        clock: Time in seconds since 1970.
        until: Number of a ledger row: the state as it was after it (read-only).
        snapshot: Begin from the last snapshot; False folds every event again.

    Raises:
        StoreInUse: Another process writes to it.
        StoreUnwritable: The folder or the disk refuses.
        LedgerCorrupt: A row of the ledger cannot be read.
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        read_only: bool = False,
        embedder: Embedder | None = None,
        index_url: str | None = None,
        clock: Callable[[], float] | None = None,
        until: int | None = None,
        snapshot: bool = True,
    ) -> None:
        if until is not None and not read_only:
            raise UsageError("only a store that is opened read-only can show an earlier state")
        self.folder = Path(folder)
        self.read_only = read_only
        self.episodes: dict[str, EpisodeCase] = {}
        self.steps: dict[str, StepCase] = {}
        self.subtasks: dict[str, SubtaskCase] = {}
        self._wholes: dict[str, EpisodeCase] = {}
        self.idf = Idf()
        self.repaired: list[str] = []
        """What had to be repaired at opening, in words."""
        self._fold = Fold()
        self._quarantined: dict[str, Trust] | None = None
        self.generation = 0
        """Raised whenever something that could be retrieved is there no more."""
        self._lock: FileLock | None = None
        if read_only:
            if not self.file.exists():
                raise StoreUnwritable(
                    f"there is no store in {self.folder}", hint="`lichen run SUITE` makes one."
                )
        else:
            self._lock = claim(self.folder)
        self._engine = open_sqlite(self.file, read_only=read_only)
        self.ledger = Ledger(self._engine, clock or time.time)
        self._projection = Projection(self._engine)
        self._snapshots = Snapshots(self._engine, self.ledger, self._projection)
        self._whole_state = False
        """Whether the projection is that of the fold: False before opening is done, and in a torn `absorb`."""
        try:
            if not read_only:
                self.ledger.create()
                self._projection.create()
                self._snapshots.create()
            self.embedder = CachedEmbedder(
                embedder or open_embedder("minilm"), self._engine, read_only=read_only
            )
            self.indexes = Indexes(
                self.folder, self.embedder, index_url, read_only=read_only, said=self._repaired
            )
            vouched = self._resume() if snapshot and until is None else None
            if vouched is None:
                self._refold(until)
            if not read_only:
                self._repair_projection(*(vouched or (0, self.cases())))
                self._whole_state = True
        except BaseException:
            self.close()
            raise

    @property
    def file(self) -> Path:
        """The SQLite file."""
        return self.folder / "ledger.sqlite"

    def _hold(self, made: Learned) -> None:
        self.episodes[made.whole.id] = self._wholes[made.whole.episode] = made.whole
        self.subtasks |= {case.id: case for case in made.subtasks}
        for case in made.steps:
            self.steps[case.id] = case
            self.idf.add(state_features(case.state))

    def _resume(self) -> tuple[int, list[Case]] | None:
        """Begin where the last snapshot stands, None when there is none that fits.

        Returns:
            The last row of the projection that its hash vouches for, and the cases that came after.
        """
        kept = self._snapshots.load()
        if kept is None:
            return None
        self._fold, self.idf, cases, place = kept
        for case in cases:
            if isinstance(case, EpisodeCase):
                self.episodes[case.id] = self._wholes[case.episode] = case
            elif isinstance(case, StepCase):
                self.steps[case.id] = case
            else:
                self.subtasks[case.id] = case
        known = set(self._fold.evicted)
        late: list[Case] = []
        for made in self._fold.apply(self.ledger.read(after=self._fold.seq)):
            self._hold(made)
            late += made.cases
        return None if self._let_go(self._fold.evicted.keys() - known) else (place, late)

    def _refold(self, until: int | None = None) -> None:
        for held in (self.episodes, self.steps, self.subtasks, self._wholes):
            held.clear()
        self.idf, self._fold, self._quarantined = Idf(), Fold(), None
        self.generation += 1
        for made in self._fold.apply(self.ledger.read(until=until)):
            self._hold(made)
        if self._fold.evicted:
            self._let_go(self._fold.evicted)

    def _let_go(self, episodes: Iterable[str]) -> list[Case]:
        """Hold the cases of these episodes no more, and return them."""
        names = set(episodes)
        gone: list[Case] = [case for case in self.cases() if case.episode in names]
        for case in gone:
            for held in (self.episodes, self.steps, self.subtasks):
                held.pop(case.id, None)
            if isinstance(case, StepCase):
                self.idf.remove(state_features(case.state))
        for name in names:
            self._wholes.pop(name, None)
        if gone:
            self.generation += 1
        self._quarantined = None
        return gone

    def let_go(self, name: str) -> EpisodeCase | None:
        """Return the episode, folded again from the ledger, that a full memory let go and whose id, or that
        of one of its cases, begins with `name`; None when there is not exactly one."""
        found = {e for e in self._fold.evicted if e.startswith(name)} | {
            e
            for i, e in self._fold.sources.items()
            if e in self._fold.evicted and i.startswith(name)
        }
        if not name or len(found) != 1:
            return None
        rows = self.ledger.read(episode=found.pop())
        return next((made.whole for made in Fold().apply(rows)), None)

    def whole(self, episode: str) -> EpisodeCase | None:
        """Return the case of a whole episode by the episode's id, None when it is not held."""
        return self._wholes.get(episode)

    def cases(self) -> list[Case]:
        """Return everything that can be retrieved, of every grain."""
        return [*self.episodes.values(), *self.steps.values(), *self.subtasks.values()]

    @property
    def ranks(self) -> int:
        """How many episodes were learned, those included that a full memory let go."""
        return self._fold.episodes

    @property
    def fold(self) -> Fold:
        """What the ledger implies: credit, trials, tombstones and more; only read it."""
        return self._fold

    @property
    def credit(self) -> Credit:
        """Uplifts of the remembered episodes, from every episode that ended with a known outcome."""
        return self._fold.credit

    @property
    def evicted(self) -> Mapping[str, Evicted]:
        """Episodes that a full memory let go, with what was known of them."""
        return self._fold.evicted

    @property
    def quarantined(self) -> Mapping[str, Trust]:
        """Cases, by id, that are not retrieved, because a tool that they used has another contract now."""
        if self._quarantined is None:
            self._quarantined = self._fold.contracts.distrusted(
                self.episodes.values(), self.steps.values(), self.subtasks.values()
            )
        return self._quarantined

    def trust(self, case: Case) -> Trust:
        """Return the trust state of a case now."""
        plain: Trust = "verified" if case.source == "demonstration" else "observed"
        return self.quarantined.get(case.id, plain)

    def forgot(self, task_id: str, actions: Sequence[str]) -> bool:
        """Return whether an episode of these actions was forgotten, so that it is not learned again."""
        return evidence_of(task_id, actions) in self._fold.tombstones

    def forget(self, whole: EpisodeCase, why: Entry) -> int:
        """Remove an episode and all that is derived from it; see `forget.forget`, which says what goes.

        Returns:
            How many events lost their content.
        """
        gone_steps = [case for case in self.steps.values() if case.episode == whole.episode]
        gone = self.ledger.forget(whole.episode, why)
        self._refold()
        self._projection.anew(self.cases())
        self._snapshots.drop()
        said = {whole.goal, *(case.subtask for case in gone_steps)}
        said |= {case.state.goal for case in gone_steps}
        said -= {case.goal for case in self.episodes.values()}
        said -= {case.subtask for case in self.steps.values()}
        self.embedder.forget(sorted(said))
        self.indexes.drop()
        flush(self._engine)
        return gone

    def append(self, entries: Sequence[Entry]) -> int:
        """Append events to the ledger; return how many were new. Cases change only in `absorb`."""
        return self.ledger.append(entries)

    def absorb(self) -> list[EpisodeCase]:
        """Fold the events that came since, store and index their cases, and return the new episodes."""
        new: list[EpisodeCase] = []
        came: list[Case] = []
        known = set(self._fold.evicted)
        self._whole_state = False
        for made in self._fold.apply(self.ledger.read(after=self._fold.seq)):
            self._hold(made)
            new.append(made.whole)
            came += made.cases
        self._quarantined = None
        if came:
            self._projection.put(came)
            self.indexes.put(came)
        if gone := self._let_go(self._fold.evicted.keys() - known):
            self._projection.remove(gone)
            self.indexes.remove(gone)
        self._whole_state = True
        return new

    def projection_damage(self) -> list[str]:
        """Return one sentence per difference between the folded cases and the stored ones."""
        return self._projection.damage(self.cases())

    def _repair_projection(self, place: int, cases: Sequence[Case]) -> None:
        """Compare the rows after a place with the cases that they should hold; on any difference, write all."""
        if damage := self._projection.damage(cases, after=place):
            self._projection.anew(self.cases())
            self._repaired(f"projection: {len(damage)} rows did not fit the ledger")

    def snapshot(self) -> None:
        """Take a snapshot now; `close` takes one by itself when enough was learned since the last."""
        self._snapshots.take(self._fold, self.idf)

    @property
    def steps_index(self) -> VectorIndex:
        """The index over step cases, opened and repaired at first use."""
        return self.indexes.opened("steps", self.steps.values)

    @property
    def episodes_index(self) -> VectorIndex:
        """The index over episode cases (their goals), opened and repaired at first use."""
        return self.indexes.opened("episodes", self.episodes.values)

    @property
    def subtasks_index(self) -> VectorIndex:
        """The index over subtask cases (their texts), opened and repaired at first use."""
        return self.indexes.opened("subtasks", self.subtasks.values)

    def _repaired(self, what: str, *, level: int = logging.WARNING) -> None:
        self.repaired.append(what)
        _log.log(level, "repaired the store %s: %s", self.folder, what)

    def state_hash(self) -> str:
        """Return a hash over all folded cases and their trust; a replay gives the same, bit for bit."""
        everything = {case.id: case for case in self.cases()}
        said = [everything[i].model_dump_json() for i in sorted(everything)]
        return content_id(*said, *(f"{i} {t}" for i, t in sorted(self.quarantined.items())))

    def close(self) -> None:
        """Free the lock and the files; calling it twice is allowed."""
        if self._whole_state and self._fold.seq >= self._snapshots.seq + EVERY:
            self.snapshot()
        if hasattr(self, "_engine"):
            self._engine.dispose()
        if hasattr(self, "indexes"):
            self.indexes.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def __enter__(self) -> "Store":
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()
