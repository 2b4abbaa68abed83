"""Stage two of a read of whole cases: gate, z-scored mix, diversity, K.

Stage one (dense and lexical) proposes; here those below the similarity gate are dropped, the rest are
ordered by a mix of z-scored similarity, lexical match, Q and utility (MemRL mixes similarity and utility
so), and K of them are taken, by the best, by sampling (AgentFly eq. 7) or by maximal marginal relevance
(Carbonell and Goldstein 1998). Pure arithmetic.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


def zscored(values: Vector) -> Vector:
    """Return the values with mean 0 and deviation 1; zeros when they are all alike.

    >>> zscored(np.array([1.0, 3.0])).tolist()
    [-1.0, 1.0]
    """
    spread = float(values.std())
    if spread < 1e-9:
        return np.zeros_like(values)
    scored: Vector = (values - values.mean()) / spread
    return scored


def mix(similarity: Vector, others: Mapping[str, tuple[float, Vector]]) -> Vector:
    """Return the order of n proposals: each measure z-scored, times its share; similarity has the rest.

    Args:
        similarity: Shape (n,).
        others: Name -> (share in [0, 1], values of shape (n,)).
    """
    rest = max(0.0, 1.0 - sum(share for share, _ in others.values()))
    order = rest * zscored(similarity)
    for share, values in others.values():
        if share:
            order = order + share * zscored(values)
    return order


def select(
    order: Vector,
    vectors: NDArray[np.float32] | None,
    k: int,
    *,
    alpha: float,
    mmr: float,
    rng: np.random.Generator,
) -> list[int]:
    """Return at most k rows of the n proposals, the first to be shown first.

    Args:
        order: From `mix`, shape (n,).
        vectors: Unit vectors, shape (n, d); asked only for diversity.
        k: How many.
        alpha: Above 0: drawn by softmax(order / alpha) without putting back (eq. 7).
        mmr: Lambda of maximal marginal relevance; 1 takes the best whatever they say twice.
        rng: Of the draw.
    """
    if alpha > 0 or mmr >= 1.0 or vectors is None:
        return [int(row) for row in pick(order, k, alpha, rng)]
    # both on one scale: relevance as its rank share in [0, 1], likeness as the cosine
    span = float(order.max() - order.min()) or 1.0
    relevance = (order - order.min()) / span
    near = vectors.astype(np.float64) @ vectors.astype(np.float64).T
    taken: list[int] = []
    left = list(range(len(order)))
    while left and len(taken) < k:
        said = [max((near[row, other] for other in taken), default=0.0) for row in left]
        worth = [mmr * relevance[row] - (1 - mmr) * s for row, s in zip(left, said, strict=True)]
        best = max(range(len(left)), key=lambda i: (worth[i], -left[i]))
        taken.append(left.pop(best))
    return taken


def pick(scores: Vector, k: int, temperature: float, rng: np.random.Generator) -> list[int]:
    """Return k rows: the best, or drawn from softmax(scores / temperature) without replacement (eq. 7).

    Args:
        scores: Shape (n,).
        k: How many at most.
        temperature: alpha of eq. 7; 0 takes the best.
        rng: Of the draw (Gumbel top-k).
    """
    if temperature > 0:
        scores = scores / temperature + rng.gumbel(size=len(scores))
    order: Sequence[int] = np.argsort(-scores, kind="stable")[:k].tolist()
    return list(order)
