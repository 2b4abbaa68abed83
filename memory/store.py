"""The store: one folder with the ledger and everything derived from it, kept equal at opening.

    ledger.sqlite   the events (the truth), the projected cases, cached embeddings
    index/          Chroma, derived
    lock            held while a process may write

State is folded from the ledger when the store is opened; the projection and the index are then compared
with it and repaired, never asserted.
"""

import logging
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

import sqlalchemy as sa
from filelock import FileLock

from ..envs.errors import UsageError
from .credit import Credit
from .embedder import CachedEmbedder, Embedder, open_embedder
from .errors import IndexBroken, StoreInUse, StoreUnwritable
from .features import Idf, hashed, state_features
from .fold import Fold, Trial, content_id, evidence_of
from .index import Item, VectorIndex, Vectors, set_aside
from .ledger import Entry, Ledger
from .lock import claim
from .sqlite import open_sqlite, reading, writing
from .types import EpisodeCase, StepCase

_log = logging.getLogger(__name__)
_meta = sa.MetaData()
_cases = sa.Table(
    "cases",
    _meta,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("grain", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
)

STEPS_COLLECTION = "steps-hashed-384"
"""Names the encoder too: vectors of two encoders never share a collection."""


def episodes_collection(embedder: str) -> str:
    """Return the name of the episodes' collection for an embedder."""
    return "episodes-" + content_id(embedder)


class Store:
    """Everything one agent remembers, in one folder.

    Args:
        folder: Created when it is missing.
        read_only: Only look: no lock, no index, nothing is repaired.
        embedder: For tasks' texts; `minilm` when None.
        index_url: `http://host:port` of a Chroma server in the place of the embedded index.
        clock: Time in seconds since 1970.
        until: Number of a ledger row: the state as it was after it (read-only).

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
    ) -> None:
        if until is not None and not read_only:
            raise UsageError("only a store that is opened read-only can show an earlier state")
        self.folder = Path(folder)
        self.read_only = read_only
        self.episodes: dict[str, EpisodeCase] = {}
        self.steps: dict[str, StepCase] = {}
        self.idf = Idf()
        self.repaired: list[str] = []
        """What had to be repaired at opening, in words."""
        self._fold = Fold()
        self._lock: FileLock | None = None
        self._steps_index: VectorIndex | None = None
        self._episodes_index: VectorIndex | None = None
        self._index_url = index_url
        if read_only:
            if not self.file.exists():
                raise StoreUnwritable(
                    f"there is no store in {self.folder}", hint="`lichen run SUITE` makes one."
                )
        else:
            self._lock = claim(self.folder)
        self._engine = open_sqlite(self.file, read_only=read_only)
        self.ledger = Ledger(self._engine, clock or time.time)
        try:
            if not read_only:
                self.ledger.create()
                with writing():
                    _meta.create_all(self._engine)
            self.embedder = CachedEmbedder(
                embedder or open_embedder("minilm"), self._engine, read_only=read_only
            )
            self._refold(until)
            if not read_only:
                self._repair_projection()
        except BaseException:
            self.close()
            raise

    @property
    def file(self) -> Path:
        """The SQLite file."""
        return self.folder / "ledger.sqlite"

    def _hold(self, whole: EpisodeCase, steps: Iterable[StepCase]) -> None:
        self.episodes[whole.id] = whole
        for case in steps:
            self.steps[case.id] = case
            self.idf.add(state_features(case.state))

    def _refold(self, until: int | None = None) -> None:
        self.episodes.clear()
        self.steps.clear()
        self.idf, self._fold = Idf(), Fold()
        for whole, steps in self._fold.apply(self.ledger.read(until=until)):
            self._hold(whole, steps)

    @property
    def credit(self) -> Credit:
        """Uplifts of the remembered episodes, from every episode that ended with a known outcome."""
        return self._fold.credit

    @property
    def trials(self) -> Sequence[Trial]:
        """What was shown to which task and how that ended, in order; another list after forgetting."""
        return self._fold.trials

    def forgot(self, task_id: str, actions: Sequence[str]) -> bool:
        """Return whether an episode of these actions was forgotten, so that it is not learned again."""
        return evidence_of(task_id, actions) in self._fold.tombstones

    @property
    def flagged(self) -> Mapping[str, str]:
        """Episodes that saw cases of a forgotten one, and which."""
        return self._fold.flagged

    def forget(self, whole: EpisodeCase, why: Entry) -> int:
        """Remove an episode and all that is derived from it; see `forget.forget`, which says what goes.

        Returns:
            How many events lost their content.
        """
        gone = self.ledger.forget(whole.episode, why)
        self._refold()
        self._project_anew()
        if all(case.goal != whole.goal for case in self.episodes.values()):
            self.embedder.forget([whole.goal])
        used = (self._steps_index, self._episodes_index)
        self._steps_index = self._episodes_index = None
        for index in used:
            if index is not None:
                index.close()
        if self._index_url is None:  # deleted vectors would stay in Chroma's own log
            shutil.rmtree(self.folder / "index", ignore_errors=True)
        with writing(), self._engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return gone

    def append(self, entries: Sequence[Entry]) -> int:
        """Append events to the ledger; return how many were new. Cases change only in `absorb`."""
        return self.ledger.append(entries)

    def absorb(self) -> list[EpisodeCase]:
        """Fold the events that came since, store and index their cases, and return the new episodes."""
        new: list[EpisodeCase] = []
        new_steps: list[StepCase] = []
        for whole, steps in self._fold.apply(self.ledger.read(after=self._fold.seq)):
            self._hold(whole, steps)
            new.append(whole)
            new_steps.extend(steps)
        if new:
            self._project([*new, *new_steps])
            if self._steps_index is not None:
                self._steps_index.put(
                    [item_of(c) for c in new_steps], self._step_vectors_of(new_steps)
                )
            if self._episodes_index is not None:
                self._episodes_index.put([item_of(c) for c in new], self._goal_vectors_of(new))
        return new

    def _project(self, cases: Sequence[EpisodeCase | StepCase]) -> None:
        rows = [
            {"id": c.id, "grain": type(c).__name__, "payload": c.model_dump_json()} for c in cases
        ]
        with writing(), self._engine.begin() as connection:
            connection.execute(sa.insert(_cases).prefix_with("OR REPLACE"), rows)

    def _stored(self) -> dict[str, str]:
        with reading(), self._engine.connect() as connection:
            return {row.id: row.payload for row in connection.execute(sa.select(_cases))}

    def projection_damage(self) -> list[str]:
        """Return one sentence per difference between the folded cases and the stored ones."""
        stored = self._stored()
        folded = {**self.episodes, **self.steps}
        found = [f"case {i} is missing from the projection" for i in folded if i not in stored]
        found += [f"case {i} is in no episode of the ledger" for i in stored if i not in folded]
        found += [
            f"case {i} differs from the ledger"
            for i, case in folded.items()
            if i in stored and stored[i] != case.model_dump_json()
        ]
        return found

    def _project_anew(self) -> None:
        with writing(), self._engine.begin() as connection:
            connection.execute(sa.delete(_cases))
        folded: list[EpisodeCase | StepCase] = [*self.episodes.values(), *self.steps.values()]
        if folded:
            self._project(folded)

    def _repair_projection(self) -> None:
        if damage := self.projection_damage():
            self._project_anew()
            self._repaired(f"projection: {len(damage)} rows did not fit the ledger")

    @property
    def steps_index(self) -> VectorIndex:
        """The index over step cases, opened and repaired at first use."""
        if self._steps_index is None:
            self._steps_index = self._open_index(
                STEPS_COLLECTION, list(self.steps.values()), self.step_vectors
            )
        return self._steps_index

    @property
    def episodes_index(self) -> VectorIndex:
        """The index over episode cases (their goals), opened and repaired at first use."""
        if self._episodes_index is None:
            name = episodes_collection(self.embedder.name)
            self._episodes_index = self._open_index(
                name, list(self.episodes.values()), self.goal_vectors
            )
        return self._episodes_index

    def _open_index(
        self,
        name: str,
        cases: Sequence[EpisodeCase | StepCase],
        encode: Callable[[Sequence[str]], Vectors],
    ) -> VectorIndex:
        if self.read_only and self._index_url is None:
            raise StoreInUse("a store that was opened read-only has no index of its own")
        items = [item_of(case) for case in cases]
        try:
            index = VectorIndex(self._index_url or self.folder / "index", name)
            added, removed = index.repair(items, encode)
        except IndexBroken as error:
            if self._index_url is not None or self._steps_index or self._episodes_index:
                raise
            aside = set_aside(self.folder)
            self._repaired(f"{error}; it was moved to {aside.name} and made again from the ledger")
            index = VectorIndex(self.folder / "index", name)
            added, removed = index.repair(items, encode)
        if added or removed:
            self._repaired(
                f"index {name}: {added} added, {removed} removed or corrected",
                level=logging.WARNING if removed else logging.INFO,  # a new index is no damage
            )
        return index

    def _repaired(self, what: str, *, level: int = logging.WARNING) -> None:
        self.repaired.append(what)
        _log.log(level, "repaired the store %s: %s", self.folder, what)

    def step_vectors(self, ids: Sequence[str]) -> Vectors:
        """Return the vectors of the step cases with these ids, shape (n, d)."""
        return self._step_vectors_of([self.steps[i] for i in ids])

    def _step_vectors_of(self, cases: Sequence[StepCase]) -> Vectors:
        return hashed([case.state for case in cases])

    def goal_vectors(self, ids: Sequence[str]) -> Vectors:
        """Return the vectors of the goals of the episode cases with these ids, shape (n, d)."""
        return self._goal_vectors_of([self.episodes[i] for i in ids])

    def _goal_vectors_of(self, cases: Sequence[EpisodeCase]) -> Vectors:
        return self.embedder.encode([case.goal for case in cases])

    def state_hash(self) -> str:
        """Return a hash over all folded cases; replaying the ledger gives the same, bit for bit."""
        everything = {**self.episodes, **self.steps}
        return content_id(*(everything[i].model_dump_json() for i in sorted(everything)))

    def close(self) -> None:
        """Free the lock and the files; calling it twice is allowed."""
        if hasattr(self, "_engine"):
            self._engine.dispose()
        for index in (self._steps_index, self._episodes_index):
            if index is not None:
                index.close()
        self._steps_index = self._episodes_index = None
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


def item_of(case: EpisodeCase | StepCase) -> Item:
    """Return what the index has to know of a case."""
    return Item(case.id, case.env, case.rank)
