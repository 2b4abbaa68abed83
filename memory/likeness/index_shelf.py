"""One Chroma collection: the vectors of an environment, with rank and namespace of each kept in memory.

Chroma's own filter costs 40 to 400 ms at 100,000 vectors, and telling the metadata of 96 answers 4 ms, where
the search itself takes 2.
"""

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...envs.errors import LichenError
from ..ledger.errors import IndexBroken

Vectors = NDArray[np.float32]
_BATCH = 1000
_PAGE = 10_000
"""Vectors read at once: SQLite, inside Chroma, takes 32,766 variables in a statement."""
_WIDE = 1600
"""Most answers that are asked for instead of filtering; they take 14 ms."""
_SCANNED = 20_000
"""Vectors up to which all that may be seen are kept in memory (31 MB) and compared one by one (2 ms), about as
fast as Chroma's graph there. The graph of the same vectors differs from process to process (also with one
thread), and so would what two runs with one seed remember."""
_VIEWS = 8
"""Views of an environment, each of one moment and one namespace, whose vectors are kept."""
_ALL = 2**62
"""The moment of a view that sees all of its namespace."""


class IndexedItem(NamedTuple):
    """What the index knows of a case."""

    id: str
    env: str
    rank: int
    """Rank of its episode: reads as of n see ranks below n."""
    space: str = ""
    """Its namespace."""
    mark: str = ""
    """Of its text, where that is another one than the case was learned with."""


class Near(NamedTuple):
    """One answer of the index."""

    id: str
    cosine: float


class _Place(NamedTuple):
    rank: int
    space: str
    mark: str = ""


class Shelf:
    """The collection of one environment, with the rank and the namespace of each vector in it."""

    def __init__(self, rows: Any) -> None:
        self.rows = rows
        self._known: dict[str, _Place] | None = None
        self._sorted: dict[str, NDArray[np.int64]] = {}
        """The ranks of each namespace in order, where they were asked for."""
        self._views: OrderedDict[tuple[int, str], tuple[list[str], Vectors]] = OrderedDict()
        self._late: dict[str, set[str]] = {}
        """What was put into each namespace since the view of all of it was made."""

    def read(self) -> dict[str, "_Place"]:
        """Return rank and namespace of every vector as Chroma has them."""
        known: dict[str, _Place] = {}
        with speaking():
            for start in range(0, int(self.rows.count()), _PAGE):
                held = self.rows.get(include=["metadatas"], limit=_PAGE, offset=start)
                for i, m in zip(held["ids"], held["metadatas"], strict=True):
                    said = m or {}
                    where, mark = str(said.get("space", "")), str(said.get("mark", ""))
                    known[i] = _Place(int(said.get("rank", -1)), where, mark)
        self._known = known
        self._sorted.clear()
        self._views.clear()
        self._late.clear()
        return dict(known)

    @property
    def places(self) -> dict[str, "_Place"]:
        """Rank and namespace of every vector, as they were last read and changed here."""
        if self._known is None:
            self.read()
        assert self._known is not None
        return self._known

    def vectors(self, ids: Sequence[str]) -> Iterator[tuple[str, Vectors]]:
        """Yield the stored vectors of those ids that it holds."""
        for part in _parts(ids, _PAGE):
            with speaking():
                held = self.rows.get(ids=part, include=["embeddings"])
            yield from zip(held["ids"], np.asarray(held["embeddings"], np.float32), strict=True)

    def put(self, items: Sequence[IndexedItem], vectors: Vectors) -> None:
        """Add or replace vectors, shape (n, d), one for each item."""
        places = self.places
        for start in range(0, len(items), _BATCH):
            part = items[start : start + _BATCH]
            with speaking():
                self.rows.upsert(
                    ids=[item.id for item in part],
                    embeddings=vectors[start : start + _BATCH],
                    metadatas=[
                        {"rank": item.rank, "space": item.space, "mark": item.mark}
                        if item.mark
                        else {"rank": item.rank, "space": item.space}
                        for item in part
                    ],
                )
        new = {item.id: _Place(item.rank, item.space, item.mark) for item in items}
        moved = [places[i] for i, place in new.items() if places.get(i, place) != place]
        self._forget_views(moved)
        self._forget_views(new.values(), whole=False)
        for i, place in new.items():
            if (_ALL, place.space) in self._views:
                self._late.setdefault(place.space, set()).add(i)
        places.update(new)

    def remove(self, ids: Sequence[str]) -> None:
        """Remove the vectors with these ids, those of them that it holds."""
        places = self.places
        here = [i for i in ids if i in places]
        for part in _parts(here, _BATCH):
            with speaking():
                self.rows.delete(ids=part)
        self._forget_views([places.pop(i) for i in here])

    def _forget_views(self, changed: Iterable["_Place"], *, whole: bool = True) -> None:
        """Drop what is kept of every view that sees one of these places; of whole namespaces if `whole`."""
        lowest: dict[str, int] = {}
        for rank, space, _ in changed:
            lowest[space] = min(rank, lowest.get(space, rank))
        for space in lowest:
            self._sorted.pop(space, None)
        for below, space in list(self._views):
            if space in lowest and below > lowest[space] and (whole or below != _ALL):
                del self._views[below, space]
                if below == _ALL:
                    self._late.pop(space, None)

    def near(self, vector: NDArray[np.float32], n: int, below: int, space: str) -> list[Near]:
        """Return the n nearest of a namespace with ranks below `below`; at least those, in any order."""
        places = self.places
        ranks = self._ranks(space)
        visible = int(np.searchsorted(ranks, below))
        if visible > _SCANNED:
            if visible == len(places):
                return self._query(vector, n, below, space)
            # asking for more and taking out what may not be seen is cheap while most may be seen
            wide = n * len(places) * 3 // (2 * visible)
            while wide <= _WIDE:
                found = self._query(vector, wide, below, space)
                if len(found) >= min(n, visible):
                    return found
                wide *= 4
            asked = [{"rank": {"$lt": below}}, {"space": space}]
            return self._query(vector, n, below, space, {"$and": asked})
        if not visible:
            return []
        ids, vectors = self._view(below, space, visible == len(ranks))
        cosines = vectors @ vector
        best = np.argpartition(-cosines, min(n, len(ids)) - 1)[:n]
        return [Near(ids[i], float(cosines[i])) for i in best]

    def _ranks(self, space: str) -> NDArray[np.int64]:
        """Return the ranks in a namespace, sorted."""
        if space not in self._sorted:
            there = [rank for rank, where, _ in self.places.values() if where == space]
            self._sorted[space] = np.sort(np.array(there, np.int64))
        return self._sorted[space]

    def _view(self, below: int, space: str, whole: bool) -> tuple[list[str], Vectors]:
        """Return the ids and unit vectors, shape (v, d), of what a view sees; kept for its next read.

        Args:
            below: Of the view.
            space: Of the view.
            whole: Whether it sees all of the namespace: such a view is one, whatever its `below` is.
        """
        key = (_ALL if whole else below, space)
        if key not in self._views:
            seen = [
                i for i, place in self.places.items() if place.rank < below and place.space == space
            ]
            found = dict(self.vectors(seen))
            ids = sorted(found)
            vectors = np.stack([found[i] for i in ids]) if ids else np.zeros((0, 1), np.float32)
            self._views[key] = ids, vectors
            if whole:
                self._late.pop(space, None)
            while len(self._views) > _VIEWS:
                self._views.popitem(last=False)
        elif whole and (late := self._late.pop(space, None)):
            self._views[key] = _joined(*self._views[key], dict(self.vectors(sorted(late))))
        self._views.move_to_end(key)
        return self._views[key]

    def _query(
        self,
        vector: NDArray[np.float32],
        n: int,
        below: int,
        space: str,
        where: dict[str, Any] | None = None,
    ) -> list[Near]:
        places = self.places
        with speaking():
            answer = self.rows.query(
                query_embeddings=[vector], n_results=n, where=where, include=["distances"]
            )
        pairs = zip(answer["ids"][0], answer["distances"][0], strict=True)
        # what another process put on a server is not known here
        unknown = _Place(below, space)
        return [
            Near(i, 1.0 - float(d))
            for i, d in pairs
            if (place := places.get(i, unknown)).rank < below and place.space == space
        ]


def _joined(
    ids: list[str], vectors: Vectors, found: dict[str, Vectors]
) -> tuple[list[str], Vectors]:
    """Return a view, sorted by id, with vectors put into it, those of the same id replaced."""
    kept = [row for row, i in enumerate(ids) if i not in found]
    ids, vectors = [ids[row] for row in kept], vectors[kept]
    new = sorted(found)
    if not ids:
        return new, np.stack([found[i] for i in new])
    places = [bisect_left(ids, i) for i in new]
    vectors = np.insert(vectors, places, np.stack([found[i] for i in new]), axis=0)
    return sorted([*ids, *new]), vectors


def _parts(ids: Sequence[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(ids), size):
        yield list(ids[start : start + size])


@contextmanager
def speaking() -> Iterator[None]:
    """Turn Chroma's bare exceptions (ValueError, its Rust core's own classes) into one sentence."""
    try:
        yield
    except LichenError:
        raise
    except Exception as error:
        raise IndexBroken(f"the vector index does not answer: {error}") from error
