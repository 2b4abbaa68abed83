"""The vector indexes of a store, one for each kind of record, opened and repaired at first use."""

import logging
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

from ..kinds.held_records import HeldRecords
from ..kinds.module import RecordKind
from ..ledger.content_id import content_id
from ..ledger.errors import IndexBroken, StoreUnwritable
from ..ledger.lock import keep_private
from ..ledger.records import MemoryRecord
from ..likeness.embedder import Embedder
from ..likeness.index_shelf import IndexedItem, Vectors
from ..likeness.vector_index import VectorIndex, set_aside


class Said(Protocol):
    """Told what had to be repaired."""

    def __call__(self, what: str, *, level: int = logging.WARNING) -> None:
        """Take one sentence."""


def item_of(record: MemoryRecord) -> IndexedItem:
    """Return what the index has to know of a record."""
    mark = content_id(record.model_dump_json()) if record.edited else ""
    return IndexedItem(record.id, record.env, record.rank, record.namespace, mark)


class Indexes:
    """The indexes of one store.

    Args:
        folder: Of the store.
        embedder: Of texts.
        url: Of a Chroma server, in the place of the embedded index.
        read_only: A store that only looks has its index in memory, for as long as it is open.
        said: Told what had to be repaired.
    """

    def __init__(
        self,
        folder: Path,
        embedder: Embedder,
        url: str | None,
        *,
        read_only: bool,
        said: Said,
    ) -> None:
        self._folder, self._embedder, self._url = folder, embedder, url
        self._read_only, self._said = read_only, said
        self._open: dict[str, tuple[RecordKind[Any], VectorIndex]] = {}
        self._prepared: dict[str, VectorIndex] = {}

    def opened(
        self, kind: RecordKind[Any], held: Callable[[], Iterable[MemoryRecord]]
    ) -> VectorIndex:
        """Return the index of a kind of record; at its first use it is made to hold exactly what `held` gives.

        Raises:
            IndexBroken: The index does not answer, and cannot be made anew.
        """
        if kind.name in self._open:
            return self._open[kind.name][1]
        by_id = {record.id: record for record in held()}
        items = [item_of(record) for record in by_id.values()]
        name = kind.collection(self._embedder.name)

        def encode(ids: Sequence[str]) -> Vectors:
            return kind.encode([by_id[i] for i in ids], self._embedder)

        try:
            prepared = self._prepared.pop(kind.name, None)
            index = prepared or VectorIndex(self._where(), name)
            added, removed = index.repair(items, encode)
        except IndexBroken as error:
            if self._url is not None or self._open or self._read_only:
                raise
            aside = set_aside(self._folder)
            self._said(f"{error}; it was moved to {aside.name} and made again from the ledger")
            index = VectorIndex(self._folder / "index", name)
            added, removed = index.repair(items, encode)
        if added or removed:
            self._said(
                f"index {name}: {added} added, {removed} removed or corrected",
                level=logging.WARNING if removed else logging.INFO,  # a new index is no damage
            )
        if not self._read_only:
            keep_private(self._folder)
        self._open[kind.name] = kind, index
        return index

    def is_open(self, kind: RecordKind[Any]) -> bool:
        """Return whether the index of a kind answers at once."""
        return kind.name in self._open

    def prepare(self, kind: RecordKind[Any], records: Sequence[MemoryRecord]) -> None:
        """Make the index of a kind, so that `opened` has little left to do: in a thread of its own, where it is
        large and others look at the store meanwhile.

        Args:
            kind: Whose index is not open.
            records: A copy of those that are held.

        Raises:
            IndexBroken: The index does not answer, or the store was closed meanwhile.
        """
        by_id = {record.id: record for record in records}
        index = VectorIndex(self._where(), kind.collection(self._embedder.name))
        index.repair(
            [item_of(record) for record in records],
            lambda ids: kind.encode([by_id[i] for i in ids], self._embedder),
        )
        self._prepared[kind.name] = index

    def _where(self) -> Path | str | None:
        """Return where the indexes are: at a server, in the store, or in memory where it is only looked at."""
        if self._url is not None:
            return self._url
        return None if self._read_only else self._folder / "index"

    def put(self, records: Sequence[MemoryRecord]) -> None:
        """Add records to those indexes that are open; the others get them when they are opened."""
        for kind, index in self._open.values():
            if part := [record for record in records if type(record) is kind.record]:
                vectors = kind.encode(part, self._embedder)
                index.put([item_of(record) for record in part], vectors)

    def remove(self, records: Sequence[MemoryRecord]) -> None:
        """Take records out of those indexes that are open."""
        for kind, index in self._open.values():
            if part := [record.id for record in records if type(record) is kind.record]:
                index.remove(part)

    def drop(self, kinds: Iterable[RecordKind[Any]], held: HeldRecords) -> None:
        """Delete the embedded index with what Chroma keeps of it, or repair a server's at once.

        Raises:
            StoreUnwritable: A folder cannot be removed.
            IndexBroken: The server does not answer.
        """
        self.close()
        if self._url is not None:
            for kind in kinds:
                self.opened(kind, held(kind.record).values)
            return
        for folder in (self._folder / "index", *self._folder.glob("index.broken-*")):
            shutil.rmtree(folder, ignore_errors=True)
            if folder.exists():
                raise StoreUnwritable(
                    f"{folder} may hold what is to be forgotten, and cannot be removed",
                    hint="Remove the folder by hand, or make it writable; the rest is forgotten.",
                )

    def close(self) -> None:
        """Free files and connections; the next use opens them again."""
        for index in [*(index for _, index in self._open.values()), *self._prepared.values()]:
            index.close()
        self._open.clear()
        self._prepared.clear()
