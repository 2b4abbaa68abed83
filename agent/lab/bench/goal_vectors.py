"""Vectors of generated texts: embedded for real once and remembered, or made from such ones."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ....memory.likeness.embedder import Embedder, Vectors


class KnownVectors:
    """An embedder that has seen some texts before; only new ones go through the model."""

    def __init__(self, inner: Embedder) -> None:
        self.name = inner.name
        self._inner = inner
        self.known: dict[str, NDArray[np.float32]] = {}

    def learn(self, texts: Sequence[str]) -> Vectors:
        """Embed texts for later and return their vectors, shape (n, d)."""
        return self.give(
            texts, self._inner.encode(texts) if texts else np.zeros((0, 0), np.float32)
        )

    def give(self, texts: Sequence[str], vectors: Vectors) -> Vectors:
        """Take these for the vectors of the texts, and return them."""
        self.known.update(zip(texts, vectors, strict=True))
        return vectors

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, shape (n, d)."""
        new = [text for text in texts if text not in self.known]
        fresh = dict(zip(new, self._inner.encode(new), strict=True)) if new else {}
        return np.stack([fresh[t] if t in fresh else self.known[t] for t in texts])

    def one(self, text: str) -> NDArray[np.float32]:
        """Return the unit vector of one text, shape (d,)."""
        vector: NDArray[np.float32] = self.encode([text])[0]
        return vector


def combined(rng: np.random.Generator, real: Vectors, n: int) -> Vectors:
    """Return n unit vectors, each between two real ones, shape (n, d)."""
    first, second = rng.integers(len(real), size=(2, n))
    share = rng.uniform(0.2, 1.0, (n, 1)).astype(np.float32)
    found = real[first] + share * real[second]
    unit: Vectors = found / np.linalg.norm(found, axis=1, keepdims=True)
    return unit
