"""The neighbours of a case on a small map: the two directions in which they differ most (PCA)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .....memory.ledger.records import MemoryRecord
from .....memory.store.store import Store

WIDTH, HEIGHT, EDGE = 360, 260, 16
MOST = 40
"""Neighbours on a map."""


class MapPoint(NamedTuple):
    """One case on the map, in the units of the picture."""

    case: MemoryRecord
    x: float
    y: float
    cosine: float
    here: bool
    """Whether it is the case that the map is of."""


def neighbours(store: Store, case: MemoryRecord, spaces: list[str]) -> list[MapPoint]:
    """Return a case and its nearest neighbours, it first, then the nearest first.

    Args:
        store: Where they are.
        case: Of a class that is indexed; of another there is no map.
        spaces: Namespaces that may be seen.
    """
    kind = store.held.kinds.get(type(case))
    if kind is None or not kind.indexed:
        return []
    index, held = store.index(type(case)), store.held(type(case))
    own = index.vectors([case.id]).get(case.id)
    if own is None:
        return []
    near = index.near(own, n=MOST + 1, env=case.env, below=store.ranks, spaces=spaces)
    cosines = {x.id: x.cosine for x in near if x.id in held and x.id != case.id}
    names = [case.id, *list(cosines)[:MOST]]
    vectors = index.vectors(names)
    places = _flat(np.stack([vectors[name] for name in names]))
    return [
        MapPoint(held[name], round(x, 1), round(y, 1), cosines.get(name, 1.0), name == case.id)
        for name, (x, y) in zip(names, places.tolist(), strict=True)
    ]


def _flat(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return where vectors, shape (n, d), lie in the picture, shape (n, 2); the same on every machine.

    What a single direction holds keeps its scale in both, so that near means near.
    """
    centred = vectors.astype(np.float64) - vectors.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    kept = directions[:2]
    flat = np.zeros((len(vectors), 2))
    for column, direction in enumerate(kept):
        sign = np.sign(direction[np.argmax(np.abs(direction))]) or 1.0
        flat[:, column] = np.round(centred @ (direction * sign), 6)
    low, high = flat.min(axis=0), flat.max(axis=0)
    span = np.maximum(high - low, 1e-9)
    scale = min((WIDTH - 2 * EDGE) / span[0], (HEIGHT - 2 * EDGE) / span[1])
    scale = scale if float((high - low).max()) > 1e-6 else 0.0
    middle = (low + high) / 2
    return np.asarray((flat - middle) * scale + np.array([WIDTH / 2, HEIGHT / 2]))
