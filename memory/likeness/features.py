"""What makes two states alike: weighted features of a state, and their idf-weighted cosine.

The kernel k(s, s_i) of the non-parametric read (AgentFly eq. 13, with a feature encoder in the place of
enc at the step grain). Knows nothing of storage.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..ledger.records import State
from .analogy import SAME, Analogy, analogy, entities
from .words import words

Features = Mapping[str, float]
_NUMBER = re.compile(r"^\d+$")
_NONE = re.compile(r"(?<![\w.,-])0(?![\w.,-])")
_PARTS = {"g:": 0.5, "o:": 1.0, "i:": 2.0}
"""Parts of a state and what a word in them weighs."""
_KEPT = 20_000
"""Weighed cases that are kept until the memory grows."""
NAMED = 4.0
"""How much more a seen or carried word weighs that the goal names: whether the thing itself is here decides
what to do. Chosen on dev (with `policy.values.stretch=1`, ScienceWorld-8: 1: 53.9 and 58.8, 4: 57.3,
10: 61.8 of 100; ALFWorld 1: 0.807, 4: 0.779; with arguments in their places 4: 62.9, 10: 63.8 and 1: 0.814,
4: 0.793)."""
LAST = 6.0
"""What the last action weighs among calls of tools, which says more than how a task is worded. Chosen on dev
(`support`, kNN with 60 demonstrations, 2: 0.70, 6: 0.80)."""


def state_features(state: State, change: Analogy = SAME) -> dict[str, float]:
    """Return the features of a state, its entities exchanged by `change`.

    Goal words weigh 0.5, words of the observation 1, carried things 2 (NAMED times as much where the goal
    names them), and the i-th last action 2 / i
    (its first three words; numbers carry no meaning across tasks and are dropped).
    """
    found = dict(_said(state))
    exchanged = [
        (part, to, found.pop(part + word))
        for word, to in change.table.items()
        for part in _PARTS
        if part + word in found
    ]
    for part, to, weight in exchanged:
        for word in to:
            if part == "g:" or not _NUMBER.match(word):
                found[part + word] = weight
    for i, action in enumerate(state.recent[:3]):
        kept = [w for w in change.words(action) if not _NUMBER.match(w)][:3]
        found[f"l{i}:" + " ".join(kept)] = (LAST if state.request else 2.0) / (i + 1)
    return found


@lru_cache(maxsize=16384)
def _said(state: State) -> Features:
    """Return the features of a state's goal, text and inventory: its texts are read once, not once a goal."""
    found: dict[str, float] = {"g:" + word: _PARTS["g:"] for word in words(state.goal)}
    named = frozenset() if state.request else entities(state.goal)
    for part, text in (("o:", state.text), ("i:", state.inventory)):
        for word in words(text):
            if not _NUMBER.match(word):
                found[part + word] = _PARTS[part] * (NAMED if word in named else 1.0)
        if state.request and _NONE.search(text):  # of all counts, none is another kind of answer
            found[part + "0"] = _PARTS[part]
    return found


class Weighed(NamedTuple):
    """Features times their weights."""

    values: Features
    norm: float


class Idf:
    """Inverse document frequencies that grow with the memory."""

    def __init__(self) -> None:
        self.count = 0
        self.frequency: Counter[str] = Counter()
        self._weights: dict[str, float] = {}
        self._cases: dict[tuple[State, str], Weighed] = {}

    def add(self, features: Iterable[str]) -> None:
        """Count one more state."""
        self.count += 1
        if self._weights:  # all of them change with the number of states
            self._weights.clear()
            self._cases.clear()
        self.frequency.update(features)

    def remove(self, features: Iterable[str]) -> None:
        """Count a state no more that was counted."""
        self.count -= 1
        self._weights.clear()
        self._cases.clear()
        self.frequency.subtract(features)

    def weighed(self, state: State, goal: str) -> Weighed:
        """Return a case's weighed features under another goal; the same for every step of an episode."""
        key = state, goal
        found = self._cases.get(key)
        if found is None:
            if len(self._cases) >= _KEPT:
                self._cases.clear()
            change = SAME if state.request else analogy(state.goal, goal)
            found = weigh(state_features(state, change), self)
            self._cases[key] = found
        return found

    def weight(self, feature: str) -> float:
        """Return log(1 + n / (1 + df)), n the number of states."""
        known = self._weights.get(feature)
        if known is None:
            known = math.log(1.0 + (self.count + 1) / (1 + self.frequency[feature]))
            self._weights[feature] = known
        return known


def weigh(features: Features, idf: Idf) -> Weighed:
    """Return the features times their idf weights, with the norm of that."""
    found = {feature: value * idf.weight(feature) for feature, value in features.items()}
    return Weighed(found, math.sqrt(sum(x * x for x in found.values())))


def likeness(query: Weighed, other: Weighed) -> float:
    """Return the cosine of two weighed feature sets, in [0, 1]."""
    if not query.norm or not other.norm:
        return 0.0
    known = other.values
    dot = sum(x * known[feature] for feature, x in query.values.items() if feature in known)
    return dot / (query.norm * other.norm)


def shared(query: Weighed, other: Weighed, most: int = 4) -> str:
    """Return the strongest shared features, as words for people."""
    known = other.values
    common = [
        (x * known[feature], feature) for feature, x in query.values.items() if feature in known
    ]
    return ", ".join(feature for _, feature in sorted(common, reverse=True)[:most])


def abstracted(state: State) -> Analogy:
    """Return the exchange of the goal's entities for one word; of a request nothing, its words are content."""
    named = () if state.request else entities(state.goal)
    return Analogy({word: ("target",) for word in named})


def hashed(states: Iterable[State], *, d: int = 384) -> NDArray[np.float32]:
    """Return unit vectors of the states for the vector index, shape (n, d).

    Signed feature hashing (Weinberger et al. 2009) of the state's features with the goal's entities
    replaced by one word, so that states of different tasks come near each other.
    """
    rows = []
    for state in states:
        row = np.zeros(d, np.float32)
        for feature, value in state_features(state, abstracted(state)).items():
            code = _code(feature)
            row[code % d] += value if (code >> 32) & 1 else -value
        rows.append(row / (np.linalg.norm(row) + 1e-9))
    return np.stack(rows) if rows else np.zeros((0, d), np.float32)


def _code(feature: str) -> int:
    """Return a 64-bit FNV-1a hash, the same in every process (Python's own is salted)."""
    code = 0xCBF29CE484222325
    for byte in feature.encode():
        code = ((code ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return code
