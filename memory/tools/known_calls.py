"""The calls of tools that a store holds, each read once: what many short views of one memory share."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...envs.tools import Call
from ..ledger.records import StepCase
from ..likeness.origins import Origin, origin_of
from ..store.store import Store

Pattern = tuple[tuple[str, Origin], ...]
"""Which arguments a call gives and where their values come from, by name."""


class Use(NamedTuple):
    """One remembered call."""

    case: StepCase
    call: Call
    pattern: Pattern


class KnownCalls:
    """The calls in a store by environment, and the vectors of what they were made for.

    Only what came since the last look is read; all of it again where something is there no more.

    Args:
        store: Where the cases are.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._generation = store.generation
        self._read = 0
        """Step cases that were read."""
        self._uses: dict[str, list[Use]] = {}
        self._rows: dict[str, int] = {}
        """Where the vector of a text is."""
        self._vectors: NDArray[np.float32] = np.zeros((0, 0), np.float32)

    def of(self, env: str) -> Sequence[Use]:
        """Return the calls in an environment, in the order in which they were learned."""
        held = self.store.steps
        if self.store.generation != self._generation:
            patterns = {id(use.case): use.pattern for uses in self._uses.values() for use in uses}
            self._generation, self._uses = self.store.generation, {}
            self._take(held.values(), patterns)
            texts = {use.case.subtask for uses in self._uses.values() for use in uses}
            kept = [text for text in self._rows if text in texts]
            self._vectors = self._vectors[[self._rows[text] for text in kept]]
            self._rows = {text: row for row, text in enumerate(kept)}
        elif len(held) > self._read:
            self._take(islice(held.values(), self._read, None), {})
        self._read = len(held)
        return self._uses.get(env, ())

    def _take(self, cases: Iterable[StepCase], patterns: dict[int, Pattern]) -> None:
        for case in cases:
            if (call := case.call) is not None:
                pattern = patterns.get(id(case))
                if pattern is None:
                    pattern = pattern_of(call, case.state.goal, case.state.text)
                self._uses.setdefault(case.env, []).append(Use(case, call, pattern))

    def cosines(self, text: str, others: Sequence[str]) -> NDArray[np.float32]:
        """Return the cosine of a text with each of some texts that calls were made for, shape (n,)."""
        embedder = self.store.embedder
        new = list(dict.fromkeys(other for other in others if other not in self._rows))
        if new:
            made = embedder.encode(new)
            self._vectors = np.vstack([self._vectors, made]) if len(self._vectors) else made
            self._rows |= {other: len(self._rows) + n for n, other in enumerate(new)}
        near: NDArray[np.float32] = self._vectors @ embedder.query(text)
        return near[[self._rows[other] for other in others]]


def pattern_of(call: Call, goal: str, seen: str) -> Pattern:
    """Return which arguments a call gives and where their values come from, by name."""
    return tuple(
        (name, origin_of(value, goal, seen)) for name, value in sorted(call.arguments.items())
    )
