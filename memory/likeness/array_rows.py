"""A Chroma collection's part in memory alone: for a store that only looks, and keeps nothing on any disk.

100,000 vectors are there as soon as they are encoded (Chroma's graph of them takes a minute and a half); a
query compares with all of them, some 20 ms.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


class ArrayRows:
    """Unit vectors with what is known of each; it answers as a collection of Chroma does."""

    def __init__(self) -> None:
        self._at: dict[str, int] = {}
        self._ids: list[str] = []
        self._known: list[dict[str, Any]] = []
        self._vectors: NDArray[np.float32] = np.zeros((0, 0), np.float32)

    def count(self) -> int:
        """Return how many it holds."""
        return len(self._ids)

    def get(
        self,
        ids: Sequence[str] | None = None,
        *,
        include: Sequence[str] = (),
        limit: int | None = None,
        offset: int = 0,
    ) -> dict[str, Any]:
        """Return those of the ids that it holds, or a page of all."""
        if ids is None:
            places = list(range(len(self._ids)))[offset:][:limit]
        else:
            places = [self._at[i] for i in ids if i in self._at]
        found: dict[str, Any] = {"ids": [self._ids[place] for place in places]}
        if "metadatas" in include:
            found["metadatas"] = [self._known[place] for place in places]
        if "embeddings" in include:
            found["embeddings"] = self._vectors[places]
        return found

    def upsert(
        self, *, ids: Sequence[str], embeddings: Any, metadatas: Sequence[dict[str, Any]]
    ) -> None:
        """Add or replace vectors, shape (n, d)."""
        vectors = np.asarray(embeddings, np.float32)
        new = [i for i in dict.fromkeys(ids) if i not in self._at]
        self._grow(len(self._ids) + len(new), vectors.shape[1])
        for i in new:
            self._at[i] = len(self._ids)
            self._ids.append(i)
            self._known.append({})
        for i, vector, known in zip(ids, vectors, metadatas, strict=True):
            self._vectors[self._at[i]] = vector
            self._known[self._at[i]] = known

    def delete(self, *, ids: Sequence[str]) -> None:
        """Remove the vectors with these ids; the last one takes the place of each."""
        for i in ids:
            place = self._at.pop(i, None)
            if place is None:
                continue
            last, known = self._ids.pop(), self._known.pop()
            if last != i:
                self._ids[place], self._known[place] = last, known
                self._vectors[place] = self._vectors[len(self._ids)]
                self._at[last] = place

    def query(
        self,
        *,
        query_embeddings: Sequence[NDArray[np.float32]],
        n_results: int,
        where: dict[str, Any] | None = None,
        include: Sequence[str] = (),
    ) -> dict[str, Any]:
        """Return the nearest to one vector, best first, with their cosine distances.

        Args:
            query_embeddings: One unit vector, shape (d,).
            n_results: At most so many.
            where: Only those below a rank in a namespace, as `index_shelf` asks for it.
            include: Distances are always told.
        """
        n = len(self._ids)
        places = np.arange(n)
        if where is not None:
            (below, space) = where["$and"]
            most, name = below["rank"]["$lt"], space["space"]
            fits = [k.get("rank", -1) < most and k.get("space", "") == name for k in self._known]
            places = np.flatnonzero(np.array(fits, bool)) if n else places
        if not len(places):
            return {"ids": [[]], "distances": [[]]}
        far = 1.0 - self._vectors[places] @ query_embeddings[0]
        few = min(n_results, len(places))
        best = np.argpartition(far, few - 1)[:few]
        best = best[np.argsort(far[best], kind="stable")]
        return {
            "ids": [[self._ids[places[b]] for b in best]],
            "distances": [[float(far[b]) for b in best]],
        }

    def _grow(self, n: int, d: int) -> None:
        if n > len(self._vectors):
            grown = np.zeros((max(n, 2 * len(self._vectors), 64), d), np.float32)
            if len(self._ids):
                grown[: len(self._ids)] = self._vectors[: len(self._ids)]
            self._vectors = grown
