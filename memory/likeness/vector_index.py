"""The vector index: a view over the cases, in Chroma, that repairs itself.

Keyed by case id (a content hash). It can be deleted at any time: `repair` makes it equal to the cases
again. One process owns an embedded index (chroma-core/chroma#3792); several use a server by URL.

Every environment has a collection of its own, and what is known of a vector beside it (the rank of its
episode) is kept in memory too: Chroma's own filter costs 40 to 400 ms at 100,000 vectors, and telling the
metadata of 96 answers 4 ms, where the search itself takes 2.
"""

import hashlib
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

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


class Near(NamedTuple):
    """One answer of the index."""

    id: str
    cosine: float


class _Place(NamedTuple):
    rank: int
    space: str


class VectorIndex:
    """Unit vectors under the cosine, in one Chroma collection for each environment.

    Args:
        where: A folder (embedded) or `http://host:port` (a `chroma run` server).
        name: Begins the names of the collections; it also names the encoder, so that vectors of two never
            mix.

    Raises:
        IndexBroken: The folder cannot be opened, or the server does not answer.
    """

    def __init__(self, where: Path | str, name: str) -> None:
        import chromadb  # 1 s: only when an index is opened
        from chromadb.config import Settings

        quiet = Settings(anonymized_telemetry=False)
        self._name = name
        self._shelves: dict[str, _Shelf] = {}
        try:
            if isinstance(where, str):
                address = urlsplit(where)
                client: Any = chromadb.HttpClient(
                    host=address.hostname or "localhost",
                    port=address.port or 8000,
                    ssl=address.scheme == "https",
                    settings=quiet,
                )
            else:
                client = chromadb.PersistentClient(str(where), settings=quiet)
            self._client = client
            for rows in client.list_collections():
                if rows.name.startswith(f"{name}."):
                    self._shelves[rows.metadata["env"]] = _Shelf(rows)
        except Exception as error:  # Chroma raises bare ValueError and its Rust core's own classes
            _forget_client(where)
            raise IndexBroken(f"the vector index at {where} cannot be opened: {error}") from error

    def close(self) -> None:
        """Free the files or the connection."""
        self._client.close()

    def __len__(self) -> int:
        """Return how many vectors it holds."""
        return sum(int(shelf.rows.count()) for shelf in self._shelves.values())

    def items(self) -> set[IndexedItem]:
        """Return what it knows of each vector it holds, read from Chroma anew."""
        return {
            IndexedItem(i, env, rank, space)
            for env, shelf in self._shelves.items()
            for i, (rank, space) in shelf.read().items()
        }

    def vectors(self, ids: Sequence[str]) -> dict[str, Vectors]:
        """Return the stored vectors, each of shape (d,), of those ids that it holds."""
        return {i: v for shelf in self._shelves.values() for i, v in shelf.vectors(ids)}

    def put(self, items: Sequence[IndexedItem], vectors: Vectors) -> None:
        """Add or replace vectors, shape (n, d), one for each item."""
        places: defaultdict[str, list[int]] = defaultdict(list)
        for place, item in enumerate(items):
            places[item.env].append(place)
        for env, where in places.items():
            if env not in self._shelves:
                self._shelves[env] = _Shelf(self._collection(env))
            self._shelves[env].put([items[i] for i in where], vectors[where])

    def remove(self, ids: Sequence[str]) -> None:
        """Remove the vectors with these ids, those of them that it holds."""
        for shelf in self._shelves.values():
            shelf.remove(ids)

    def repair(
        self, items: Sequence[IndexedItem], encode: Callable[[Sequence[str]], Vectors]
    ) -> tuple[int, int]:
        """Make the index hold exactly these items; what it knows of them wrongly is written again.

        Args:
            items: All that should be in it.
            encode: Gives the vectors of the items with these ids, shape (n, d).

        Returns:
            How many were added, how many were removed or corrected.
        """
        with (
            speaking()
        ):  # an index of an earlier Lichen, without one collection for each environment
            if any(rows.name == self._name for rows in self._client.list_collections()):
                self._client.delete_collection(self._name)
        wanted, held = set(items), self.items()
        stale, missing = held - wanted, sorted(wanted - held)
        doomed: defaultdict[str, list[str]] = defaultdict(list)
        for item in sorted(stale):
            doomed[item.env].append(item.id)
        for env, ids in doomed.items():
            self._shelves[env].remove(ids)
        if missing:
            self.put(missing, encode([item.id for item in missing]))
        return len(missing), len(stale)

    def near(
        self,
        vector: NDArray[np.float32],
        *,
        n: int,
        env: str,
        below: int,
        spaces: Sequence[str] = ("",),
    ) -> list[Near]:
        """Return the n nearest items of an environment with ranks below `below`, best first.

        Args:
            vector: Unit vector, shape (d,).
            n: How many at most.
            env: Name of the environment; the memory of one never answers for another.
            below: Only items with a smaller rank.
            spaces: Only items of these namespaces.
        """
        shelf = self._shelves.get(env)
        if shelf is None or n < 1 or below < 1:
            return []
        found = [one for space in spaces for one in shelf.near(vector, n, below, space)]
        # equal distances come in no fixed order: the id decides
        return sorted(found, key=lambda x: (-x.cosine, x.id))[:n]

    def _collection(self, env: str) -> Any:
        # Chroma takes few characters in a name
        code = hashlib.sha256(env.encode()).hexdigest()[:16]
        with speaking():
            return self._client.get_or_create_collection(
                f"{self._name}.{code}",
                embedding_function=None,
                metadata={"env": env},
                configuration={"hnsw": {"space": "cosine"}},
            )


class _Shelf:
    """The collection of one environment, with the rank and the namespace of each vector in it."""

    def __init__(self, rows: Any) -> None:
        self.rows = rows
        self._known: dict[str, _Place] | None = None
        self._sorted: dict[str, NDArray[np.int64]] = {}
        """The ranks of each namespace in order, where they were asked for."""
        self._views: OrderedDict[tuple[int, str], tuple[list[str], Vectors]] = OrderedDict()

    def read(self) -> dict[str, "_Place"]:
        """Return rank and namespace of every vector as Chroma has them."""
        known: dict[str, _Place] = {}
        with speaking():
            for start in range(0, int(self.rows.count()), _PAGE):
                held = self.rows.get(include=["metadatas"], limit=_PAGE, offset=start)
                for i, m in zip(held["ids"], held["metadatas"], strict=True):
                    said = m or {}
                    known[i] = _Place(int(said.get("rank", -1)), str(said.get("space", "")))
        self._known = known
        self._sorted.clear()
        self._views.clear()
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
                    metadatas=[{"rank": item.rank, "space": item.space} for item in part],
                )
        new = {item.id: _Place(item.rank, item.space) for item in items}
        self._forget_views([*new.values(), *(places[i] for i in new if i in places)])
        places.update(new)

    def remove(self, ids: Sequence[str]) -> None:
        """Remove the vectors with these ids, those of them that it holds."""
        places = self.places
        here = [i for i in ids if i in places]
        for part in _parts(here, _BATCH):
            with speaking():
                self.rows.delete(ids=part)
        self._forget_views([places.pop(i) for i in here])

    def _forget_views(self, changed: Sequence["_Place"]) -> None:
        """Drop what is kept of every view that sees one of these places."""
        lowest: dict[str, int] = {}
        for rank, space in changed:
            lowest[space] = min(rank, lowest.get(space, rank))
        for space in lowest:
            self._sorted.pop(space, None)
        for below, space in list(self._views):
            if space in lowest and below > lowest[space]:
                del self._views[below, space]

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
            there = [rank for rank, where in self.places.values() if where == space]
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
            while len(self._views) > _VIEWS:
                self._views.popitem(last=False)
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


def _parts(ids: Sequence[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(ids), size):
        yield list(ids[start : start + size])


def _forget_client(where: Path | str) -> None:
    """Let a folder be opened again in this process: Chroma keeps the half-made client of a failed try."""
    from chromadb.api.shared_system_client import SharedSystemClient

    getattr(SharedSystemClient, "_identifier_to_system", {}).pop(str(where), None)


def set_aside(store: Path) -> Path:
    """Move the broken index of a store's folder out of the way and return where it is now."""
    for number in count(1):
        aside = store / f"index.broken-{number}"
        if not aside.exists():
            break
    (store / "index").rename(aside)
    return aside


@contextmanager
def speaking() -> Iterator[None]:
    """Turn Chroma's bare exceptions (ValueError, its Rust core's own classes) into one sentence."""
    try:
        yield
    except LichenError:
        raise
    except Exception as error:
        raise IndexBroken(f"the vector index does not answer: {error}") from error
