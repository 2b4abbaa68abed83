"""The store: one folder with the ledger and everything derived from it, kept equal at opening.

    ledger.sqlite   the events (the truth), the case table, cached embeddings, an application's items
    index/, lock    Chroma, derived; held while a process may write

State is folded from the ledger when the store is opened; the case table and the indexes are then compared
with it and repaired, never asserted. What is remembered is said by the memory modules (`kinds.module`).
"""

import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from filelock import FileLock
from sqlalchemy.engine import Connection

from ...envs.errors import UsageError
from ..kinds.installed import installed, make
from ..kinds.module import MemoryModule
from ..ledger.errors import IndexBroken, LedgerCorrupt, StoreUnwritable
from ..ledger.events import EpisodeStarted, Evicted
from ..ledger.ledger import Entry, Ledger, LedgerRow, read_row
from ..ledger.lock import claim, keep_private
from ..ledger.records import EpisodeCase, MemoryRecord
from ..ledger.row_checks import damage
from ..ledger.sqlite import flush, open_sqlite, transaction
from ..likeness.embedder import CachedEmbedder, Embedder, open_embedder
from ..likeness.vector_index import VectorIndex
from .capacity import least_useful
from .case_table import CaseTable
from .indexes import Indexes
from .item_table import ItemTable
from .made_from import remove_derived
from .memory_state import MemoryState
from .pending import Pending
from .snapshot import EVERY, Snapshots

_log = logging.getLogger(__name__)
Follower = Callable[[], Awaitable[None]]


class Store(MemoryState):
    """Everything one agent remembers, in one folder.

    Args:
        folder: Created when it is missing.
        modules: The kinds of memory; those of Lichen and of installed packages when None.
        capacity: Episodes that are held; what is least useful above it is let go (see `bound`). None: all.
        read_only: Only look: no lock, nothing is written or repaired; the index is one of this process.
        embedder: For tasks' texts; `minilm` when None.
        index_url: `http://host:port` of a Chroma server in the place of the embedded index.
        clock: Time in seconds since 1970.
        until: Number of a ledger row: the state as it was after it (read-only).
        snapshot: Begin from the last snapshot; False folds every event again.

    Raises:
        StoreInUse: Another process writes to it.
        StoreUnwritable: The folder or the disk refuses.
        LedgerCorrupt: The file is no sound database. A bad row of it is set aside, and named.
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        modules: Sequence[type[MemoryModule]] | None = None,
        capacity: int | None = None,
        read_only: bool = False,
        embedder: Embedder | None = None,
        index_url: str | None = None,
        clock: Callable[[], float] | None = None,
        until: int | None = None,
        snapshot: bool = True,
    ) -> None:
        if until is not None and not read_only:
            raise UsageError("only a store that is opened read-only can show an earlier state")
        super().__init__(installed() if modules is None else modules)
        self.folder = Path(folder)
        self.read_only = read_only
        self.capacity = capacity
        self._followers: list[Follower] = []
        self.repaired: list[str] = []
        """What had to be repaired at opening, in words."""
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
        self._table = CaseTable(self._engine)
        self._snapshots = Snapshots(self._engine, self.ledger, self._table)
        self._pending = Pending(self._engine)
        self.items = ItemTable(self._engine)
        """Data of the application's own, beside what is remembered."""
        self._whole_state = False
        """Whether the case table is that of the fold: False before opening is done, and in a torn `absorb`."""
        try:
            unfinished: list[str] = []
            if not read_only:
                for part in (self.ledger, self._table, self._snapshots, self._pending):
                    part.create()
                self.items.create()
                keep_private(self.folder)
                unfinished = self._pending.episodes()
            self.embedder = CachedEmbedder(
                embedder or open_embedder("minilm"), self._engine, read_only=read_only
            )
            self.indexes = Indexes(
                self.folder, self.embedder, index_url, read_only=read_only, said=self._repaired
            )
            vouched = self._resume() if snapshot and until is None else None
            if vouched is None:
                self._refold(self.ledger.read(until=until))
            for problem in self._fold.set_aside.values():
                _log.warning("set aside in %s: %s", self.folder, problem)
            if unfinished:
                self._finish_again(unfinished)
            if not read_only:
                self._repair_table(*(vouched or (0, self.records())))
                self._whole_state = True
        except BaseException:
            self.close()
            raise

    @property
    def file(self) -> Path:
        """The SQLite file."""
        return self.folder / "ledger.sqlite"

    def rows_of(self, episode: str) -> Iterable[LedgerRow]:
        """Return the rows of an episode, in order."""
        return self.ledger.read(episode=episode)

    def started(self, episode: str) -> EpisodeStarted | None:
        """Return how an episode began, None where it is not here or was forgotten."""
        events = (row.event for row in self.rows_of(episode))
        return next((event for event in events if isinstance(event, EpisodeStarted)), None)

    def _resume(self) -> tuple[int, list[MemoryRecord]] | None:
        """Begin at the last snapshot; None when there is none, or it does not fit.

        Returns:
            The last row of the case table that its hash vouches for, and the records that came after.
        """
        kept = self._snapshots.load(make(self._modules))
        if kept is None:
            return None
        fold, records, place = kept
        self._start(fold)
        self.held.take(records)
        came, gone = self._apply(self.ledger.read(after=fold.seq))
        return None if gone else (place, came)

    def derived(self, episode: str) -> list[MemoryRecord]:
        """Return what an episode left, folded again from the ledger, whether or not it is held."""
        made = list(self._fresh().apply(self.ledger.read(episode=episode)))
        return made[-1] if made else []  # a later verdict replaces what an earlier one made

    def forget(self, episodes: Sequence[str], why: Sequence[Entry]) -> int:
        """Remove episodes and all that is derived from them; see `forget.forget`, which says what goes.

        What the store's file holds goes in one transaction. What lies beside it goes after that, and when
        that is not finished, at the next opening that writes.

        Returns:
            How many events lost their content.

        Raises:
            StoreUnwritable: Something beside the file could not be removed yet.
        """
        gone = set(episodes)
        kept = self.held.texts(r for r in self.records() if r.episode not in gone)
        with transaction(self._engine) as connection:
            count = self.ledger.forget(connection, sorted(gone), why)
            self._empty(connection, kept, sorted(gone))
        self._finish_forgetting(sorted(gone))
        return count

    def restore(self, rows: Sequence[dict[str, Any]]) -> int:
        """Write the rows of an exact copy into this store, which must be empty or their beginning.

        Returns:
            How many were new.

        Raises:
            LedgerCorrupt: The copy is damaged, cannot be learned from, or is of another ledger.
        """
        hint = "Nothing was imported; copy it again."
        if problems := damage(rows):
            raise LedgerCorrupt(f"the copy is damaged: {problems[0]}", hint=hint)
        read = [read_row(row) for row in rows]
        trial = self._fresh()
        trial.rows_of = lambda episode: (row for row in read if row.episode == episode)
        for _ in trial.apply(read):
            pass
        if trial.set_aside:
            first = next(iter(trial.set_aside.values()))
            raise LedgerCorrupt(f"the copy cannot be learned from: {first}", hint=hint)
        before = set(self._fold.tombstones.values())
        forgotten = sorted(set(trial.tombstones.values()) - before)
        with transaction(self._engine) as connection:
            new = self.ledger.restore(connection, rows)
            if forgotten:
                self._empty(connection, (), forgotten)
        if forgotten:
            self._finish_forgetting(forgotten)
        else:
            self.absorb()
        return new

    def _empty(self, connection: Connection, kept: Iterable[str], gone: Sequence[str]) -> None:
        """Empty what is derived and may hold content that goes, and note that more lies beside the file."""
        self._table.empty(connection)
        self._snapshots.empty(connection)
        self.embedder.keep_only(connection, kept)
        self._pending.mark(connection, gone)

    def _finish_forgetting(self, episodes: Sequence[str]) -> None:
        """Fold again without these episodes, and remove what was made of them beside the store's file."""
        self._refold(self.ledger.read())
        self._table.anew(self.records())
        for episode in episodes:
            remove_derived(self.folder, episode)
        self.indexes.drop([kind for kind in self.held.kinds.values() if kind.indexed], self.held)
        if flush(self._engine):
            self._pending.clear()
            flush(self._engine)  # the mark names what is forgotten
        else:
            _log.warning("%s is being read: its log is emptied when it is opened next", self.folder)

    def _finish_again(self, episodes: Sequence[str]) -> None:
        """Finish what a kill or a full disk interrupted; what still cannot go is tried at the next opening."""
        try:
            self._finish_forgetting(episodes)
            _log.warning("finished forgetting %s in %s", ", ".join(episodes), self.folder)
        except (StoreUnwritable, IndexBroken) as error:
            _log.warning("what was forgotten is not gone from every file yet: %s", error)

    def append(self, entries: Sequence[Entry]) -> int:
        """Append events to the ledger; return how many were new. Cases change only in `absorb`.

        Raises:
            UsageError: The store is closed: another process may write to it by now.
        """
        if self._lock is None and not self.read_only:
            raise UsageError("the store is closed")
        return self.ledger.append(entries)

    def absorb(self) -> list[EpisodeCase]:
        """Fold the events that came since, store and index their records, and return the new episodes."""
        self._whole_state = False
        came, gone = self._apply(self.ledger.read(after=self._fold.seq))
        if gone:
            self._table.remove(gone)
            self.indexes.remove(gone)
        if came:
            self._table.put(came)
            self.indexes.put(came)
        self._whole_state = True
        return [record for record in came if isinstance(record, EpisodeCase)]

    def settle(self) -> list[EpisodeCase]:
        """Learn from what was appended and let the least useful episodes go that are too many.

        Returns:
            The new episodes, those included that were let go at once.
        """
        new = self.absorb()
        self.bound()
        return new

    def bound(self) -> list[Evicted]:
        """Let episodes go until at most `capacity` are held; return the records, the least useful first."""
        gone = least_useful(self.episodes.values(), self.credit, self.capacity, self.pinned)
        if gone:
            self.append([Entry(f"evict/{event.target}", "bank", "", event) for event in gone])
            self.absorb()
        return gone

    async def finish(self) -> list[EpisodeCase]:
        """Do all that is due after a learning episode: `settle`, and tell those that follow the memory."""
        new = self.settle()
        for follower in self._followers:
            await follower()
        return new

    def follow(self, follower: Follower) -> None:
        """Call a follower after every finished episode; the same one twice is called once."""
        if follower not in self._followers:
            self._followers.append(follower)

    def table_damage(self) -> list[str]:
        """Return one sentence per difference between the folded records and the stored ones."""
        return self._table.damage(self.records())

    def _repair_table(self, place: int, records: Sequence[MemoryRecord]) -> None:
        """Compare the rows after a place with the records that they should hold; on a difference, write all."""
        if damage := self._table.damage(records, after=place):
            self._table.anew(self.records())
            self._repaired(f"case table: {len(damage)} rows did not fit the ledger")

    def snapshot(self) -> None:
        """Take a snapshot now; `close` takes one by itself when enough was learned since the last."""
        self._snapshots.take(self._fold)

    def index(self, record: type[MemoryRecord]) -> VectorIndex:
        """Return the index over the records of a class, opened and repaired at first use."""
        kind = self.held.kinds.get(record)
        if kind is None or not kind.indexed:
            raise UsageError(f"no memory module of this store indexes {record.__name__}")
        return self.indexes.opened(kind, self.held(record).values)

    def _repaired(self, what: str, *, level: int = logging.WARNING) -> None:
        self.repaired.append(what)
        _log.log(level, "repaired the store %s: %s", self.folder, what)

    def close(self) -> None:
        """Free the lock and the files; calling it twice is allowed."""
        grown = self._fold.seq >= self._snapshots.seq + EVERY
        if self._whole_state and grown and not self._fold.set_aside:
            self.snapshot()
        if hasattr(self, "_engine"):
            self.items.close()
            self._engine.dispose()
        if hasattr(self, "indexes"):
            self.indexes.close()
        if self._lock is not None:
            keep_private(self.folder)
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
