"""The vector index: a view over the cases, in Chroma, that repairs itself.

Keyed by case id (a content hash). It can be deleted at any time: `repair` makes it equal to the cases
again. One process owns an embedded index (chroma-core/chroma#3792); several use a server by URL.

Every environment has a collection of its own (see `index_shelf`).
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from ..ledger.errors import IndexBroken
from .array_rows import ArrayRows
from .index_shelf import IndexedItem, Near, Shelf, Vectors, speaking


class VectorIndex:
    """Unit vectors under the cosine, in one Chroma collection for each environment.

    Args:
        where: A folder (embedded), `http://host:port` (a `chroma run` server), or None: in memory alone,
            without Chroma, for as long as it is open.
        name: Begins the names of the collections; it also names the encoder, so that vectors of two never
            mix.

    Raises:
        IndexBroken: The folder cannot be opened, or the server does not answer.
    """

    def __init__(self, where: Path | str | None, name: str) -> None:
        self._name = name
        self._shelves: dict[str, Shelf] = {}
        self._client: Any = None
        if where is not None:
            self._open(where)

    def _open(self, where: Path | str) -> None:
        import chromadb  # 1 s: only when an index is opened
        from chromadb.config import Settings

        quiet = Settings(anonymized_telemetry=False)
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
                if rows.name.startswith(f"{self._name}."):
                    self._shelves[rows.metadata["env"]] = Shelf(rows)
        except Exception as error:  # Chroma raises bare ValueError and its Rust core's own classes
            _forget_client(where)
            raise IndexBroken(f"the vector index at {where} cannot be opened: {error}") from error

    def close(self) -> None:
        """Free the files or the connection."""
        if self._client is not None:
            self._client.close()

    def __len__(self) -> int:
        """Return how many vectors it holds."""
        return sum(int(shelf.rows.count()) for shelf in self._shelves.values())

    def items(self) -> set[IndexedItem]:
        """Return what it knows of each vector it holds, read from Chroma anew."""
        return {
            IndexedItem(i, env, *place)
            for env, shelf in self._shelves.items()
            for i, place in shelf.read().items()
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
                self._shelves[env] = Shelf(self._collection(env))
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
        if self._client is not None:
            self._drop_old()
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

    def _drop_old(self) -> None:
        """Delete an index of an earlier Lichen, without one collection for each environment."""
        with speaking():
            if any(rows.name == self._name for rows in self._client.list_collections()):
                self._client.delete_collection(self._name)

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
        if self._client is None:
            return ArrayRows()
        # Chroma takes few characters in a name
        code = hashlib.sha256(env.encode()).hexdigest()[:16]
        with speaking():
            return self._client.get_or_create_collection(
                f"{self._name}.{code}",
                embedding_function=None,
                metadata={"env": env},
                configuration={"hnsw": {"space": "cosine"}},
            )


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
