"""Least general generalisation of aligned pieces of trajectories (Plotkin 1970), over moves.

What is the same in all pieces stays; where they differ a variable stands, the same variable wherever the
same values stand in every piece. Moves that are repeated become one move with counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

from ...envs.types import Fact
from .traces import ACT, Move

_PLACES = frozenset({"from", "in", "into", "on", "onto", "to", "at", "with", "using", "by"})


@dataclass(frozen=True)
class Slot:
    """A variable of a pattern."""

    name: str


@dataclass(frozen=True)
class Line:
    """One move of a pattern."""

    move: Move
    """An instance of it; its method and names hold for all."""
    parts: tuple[Fact | Slot, ...]
    counts: tuple[int, ...]
    """How often it came in a row, in each piece."""


@dataclass
class Pattern:
    """What several pieces have in common."""

    lines: list[Line]
    slots: dict[str, tuple[Fact, ...]] = field(default_factory=dict)
    """Variable -> its value in each piece."""

    def values(self, piece: int) -> dict[str, Fact]:
        """Return the variables' values in one piece."""
        return {name: values[piece] for name, values in self.slots.items()}


def collapsed(moves: Sequence[Move]) -> list[tuple[Move, int]]:
    """Return moves with how often each came in a row.

    >>> a, b = Move(method="act", values=("do",)), Move(method="goto", values=("tree",))
    >>> [(m.method, n) for m, n in collapsed([b, a, a])]
    [('goto', 1), ('act', 2)]
    """
    return [(move, len(list(group))) for move, group in groupby(moves)]


def shape(moves: Sequence[Move]) -> tuple[tuple[str, str, int], ...]:
    """Return what two pieces must share to be anti-unified."""
    return tuple(move.kind() for move, _ in collapsed(moves))


def antiunify(pieces: Sequence[Sequence[Move]], *, fixed: frozenset[str] = frozenset()) -> Pattern:
    """Return the least general pattern that all pieces are instances of.

    Args:
        pieces: At least one; all of one `shape`.
        fixed: Values that are never generalised, for example the names of directions.

    Raises:
        ValueError: The shapes differ.

    >>> def act(text):
    ...     return Move(method="act", values=(text,))
    >>> found = antiunify([[act("open box"), act("take key from box")],
    ...                    [act("open bag"), act("take pen from bag")]])
    >>> found.slots
    {'thing': ('box', 'bag'), 'thing2': ('key', 'pen')}
    """
    rows = [collapsed(piece) for piece in pieces]
    if len({shape(piece) for piece in pieces}) != 1:
        raise ValueError("pieces of different shapes have no common pattern")
    slots: dict[tuple[Fact, ...], str] = {}
    lines = []
    for column in zip(*rows, strict=True):
        moves = [move for move, _ in column]
        parts: list[Fact | Slot] = []
        for place, values in enumerate(zip(*(move.parts() for move in moves), strict=True)):
            alike = all(value == values[0] and type(value) is type(values[0]) for value in values)
            if alike or any(value in fixed for value in values):
                parts.append(values[0])
                continue
            if values not in slots:
                slots[values] = _fresh(_role(moves[0], place), slots.values())
            parts.append(Slot(slots[values]))
        lines.append(Line(moves[0], tuple(parts), tuple(n for _, n in column)))
    return Pattern(lines, {name: values for values, name in slots.items()})


def _role(move: Move, place: int) -> str:
    if move.names:
        return move.names[place]
    if move.method != ACT:
        return "kind" if place == 0 else "amount"
    parts = move.parts()
    before = str(parts[place - 1]) if place else ""
    return "place" if before in _PLACES else "thing"


def _fresh(role: str, taken: object) -> str:
    names = set(taken)  # type: ignore[call-overload]
    name, number = role, 2
    while name in names:
        name, number = f"{role}{number}", number + 1
    return name
