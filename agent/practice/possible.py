"""What may be done in an environment, sorted for the explorer: a kitchen offers hundreds of thousands."""

from collections.abc import Sequence
from functools import cached_property, lru_cache, reduce
from operator import or_

import numpy as np
from numpy.typing import NDArray

from ...envs.types import Fact
from ...memory.likeness.words import words
from ...skills.induction.traces import ACT, Move

Call = tuple[str, tuple[Fact, ...]]
"""A call of the environment: method and arguments."""
SIMPLE = 3.0
"""Failures that an action counts as having for each further thing that it names, before it was tried: what is
simple is tried first."""


class Possible:
    """The calls of an environment, sorted for the explorer; a kitchen offers hundreds of thousands.

    Args:
        source: What the environment says.
        primitives: Whether calls besides single actions count.
    """

    def __init__(self, source: Sequence[Call], *, primitives: bool) -> None:
        self.source = source
        self.calls = [call for call in source if primitives or call[0] == ACT]
        self.acts = [call for call in self.calls if call[0] == ACT]
        self.go = [call for call in self.calls if call[0] != ACT and call[1]]
        self.other = [call for call in self.calls if not call[1]]
        self.single = tuple(
            str(values[0]) for _, values in self.acts if values and "," not in str(values[0])
        )

    @cached_property
    def places(self) -> dict[str, int]:
        """Where each action is among the actions."""
        return {first_value(values): n for n, (_, values) in enumerate(self.acts)}

    @cached_property
    def simple(self) -> NDArray[np.float64]:
        """What each action counts as having brought and not before it was tried, shape (n, 2)."""
        return np.array([(0.0, failures_before(first_value(v))) for _, v in self.acts]).reshape(
            -1, 2
        )

    def names(self, said: set[str]) -> bool:
        """Return whether a call shares a word with what was said."""
        return bool(said & self._words)

    @cached_property
    def _words(self) -> set[str]:
        acts = self.single if len(self.single) < len(self.acts) else ()
        rest = [c for c in self.calls if c[0] != ACT or not acts]
        pieces = {*acts, *(p for method, v in rest for p in (method, first_value(v)))}
        return {word for piece in pieces for word in words_in(piece)}

    def named(self, said: set[str], skills: Sequence[Move]) -> list[Move]:
        """Return the calls, of the environment and of skills, that share most words with what was said."""
        marks: dict[str, int] = {}
        bits = {word: 1 << n for n, word in enumerate(sorted(said))}

        def mark(piece: str) -> int:
            if piece not in marks:
                marks[piece] = sum(bits[word] for word in words_in(piece) & said)
            return marks[piece]

        shared = [
            reduce(or_, map(mark, first_value(values).split(",")), mark(method)).bit_count()
            for method, values in self.calls
        ]
        shared += [len(said & words_in(text_of(move))) for move in skills]
        most, first = max(shared, default=0), len(self.calls)
        return [
            move_of(self.calls[n]) if n < first else skills[n - first]
            for n, number in enumerate(shared)
            if number == most > 0
        ]


def failures_before(text: str) -> float:
    """Return the failures that an action counts as having before it was tried; see `SIMPLE`."""
    return SIMPLE * text.count(",")


def first_value(values: tuple[Fact, ...]) -> str:
    """Return the first argument of a call as text; empty where it has none."""
    return str(values[0]) if values else ""


def text_of(move: Move) -> str:
    """Return a move in words."""
    said = [move.skill.partition("@")[0] if move.method == "skill" else move.method, *move.values]
    return " ".join(map(str, said))


def move_of(call: Call) -> Move:
    """Return a call of the environment as a move."""
    return Move(method=call[0], values=call[1])


@lru_cache(maxsize=50_000)
def words_in(text: str) -> frozenset[str]:
    """Return the words of a text; underscores and hyphens part them."""
    return frozenset(words(text.replace("_", " ").replace("-", " ")))
