"""The vector index: a view over the cases, in Chroma, that repairs itself.

Keyed by case id (a content hash). It can be deleted at any time: `repair` makes it equal to the cases
again. One process owns an embedded index (chroma-core/chroma#3792); several use a server by URL.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from ..envs.errors import LichenError
from .errors import IndexBroken

Vectors = NDArray[np.float32]
_BATCH = 1000


class Item(NamedTuple):
    """What the index knows of a case."""

    id: str
    env: str
    rank: int
    """Rank of its episode: reads as of n see ranks below n."""


class Near(NamedTuple):
    """One answer of the index."""

    id: str
    cosine: float


class VectorIndex:
    """One Chroma collection of unit vectors under the cosine.

    Args:
        where: A folder (embedded) or `http://host:port` (a `chroma run` server).
        name: Name of the collection; it also names the encoder, so that vectors of two never mix.

    Raises:
        IndexBroken: The folder cannot be opened, or the server does not answer.
    """

    def __init__(self, where: Path | str, name: str) -> None:
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
            self._rows: Any = client.get_or_create_collection(
                name, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
            )
        except Exception as error:  # Chroma raises bare ValueError and its Rust core's own classes
            _forget_client(where)
            raise IndexBroken(f"the vector index at {where} cannot be opened: {error}") from error

    def close(self) -> None:
        """Free the files or the connection."""
        self._client.close()

    def __len__(self) -> int:
        """Return how many vectors it holds."""
        return int(self._rows.count())

    def items(self) -> set[Item]:
        """Return what it knows of each vector it holds."""
        with speaking():
            held = self._rows.get(include=["metadatas"])
        pairs = zip(held["ids"], held["metadatas"], strict=True)
        return {
            Item(i, str((m or {}).get("env")), int((m or {}).get("rank", -1))) for i, m in pairs
        }

    def vectors(self, ids: Sequence[str]) -> dict[str, Vectors]:
        """Return the stored vectors, each of shape (d,), of those ids that it holds."""
        with speaking():
            held = self._rows.get(ids=list(ids), include=["embeddings"])
        return {
            i: np.asarray(v, np.float32)
            for i, v in zip(held["ids"], held["embeddings"], strict=True)
        }

    def put(self, items: Sequence[Item], vectors: Vectors) -> None:
        """Add or replace vectors, shape (n, d), one for each item."""
        for start in range(0, len(items), _BATCH):
            part = slice(start, start + _BATCH)
            with speaking():
                self._rows.upsert(
                    ids=[item.id for item in items[part]],
                    embeddings=vectors[part],
                    metadatas=[{"env": item.env, "rank": item.rank} for item in items[part]],
                )

    def repair(
        self, items: Sequence[Item], encode: Callable[[Sequence[str]], Vectors]
    ) -> tuple[int, int]:
        """Make the index hold exactly these items; what it knows of them wrongly is written again.

        Args:
            items: All that should be in it.
            encode: Gives the vectors of the items with these ids, shape (n, d).

        Returns:
            How many were added, how many were removed or corrected.
        """
        wanted, held = set(items), self.items()
        stale = sorted(item.id for item in held - wanted)
        missing = sorted(wanted - held)
        for start in range(0, len(stale), _BATCH):
            with speaking():
                self._rows.delete(ids=stale[start : start + _BATCH])
        if missing:
            self.put(missing, encode([item.id for item in missing]))
        return len(missing), len(stale)

    def near(self, vector: NDArray[np.float32], *, n: int, env: str, below: int) -> list[Near]:
        """Return the n nearest items of an environment with ranks below `below`, best first.

        Args:
            vector: Unit vector, shape (d,).
            n: How many at most.
            env: Name of the environment; the memory of one never answers for another.
            below: Only items with a smaller rank.
        """
        if n < 1 or below < 1:
            return []
        # Chroma's filter costs 20 times the search itself (28 ms of 30 at 10,000 vectors): it is asked for
        # only when something that must not be seen is among the nearest of all
        answer = self._query(vector, n, None)
        if any(m["env"] != env or m["rank"] >= below for m in answer["metadatas"][0]):
            answer = self._query(vector, n, {"$and": [{"env": env}, {"rank": {"$lt": below}}]})
        pairs = zip(answer["ids"][0], answer["distances"][0], strict=True)
        # equal distances come in no fixed order: the id decides
        return sorted((Near(i, 1.0 - float(d)) for i, d in pairs), key=lambda x: (-x.cosine, x.id))

    def _query(self, vector: NDArray[np.float32], n: int, where: dict[str, Any] | None) -> Any:
        with speaking():
            return self._rows.query(
                query_embeddings=[vector],
                n_results=n,
                where=where,
                include=["distances", "metadatas"],
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


@contextmanager
def speaking() -> Iterator[None]:
    """Turn Chroma's bare exceptions (ValueError, its Rust core's own classes) into one sentence."""
    try:
        yield
    except LichenError:
        raise
    except Exception as error:
        raise IndexBroken(f"the vector index does not answer: {error}") from error
