"""Recurring pieces of trajectories: what is worth a skill, by how much shorter it makes them.

Grammar induction in the manner of Sequitur and Stitch (Bowers et al. 2023): the piece that saves most moves
becomes a skill first; trajectories are then told with that skill as one move, and the next is looked for, so
that skills come to call skills.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ...envs.types import Fact
from ...memory.tools.lifted import place_of
from .antiunify import collapsed, shape
from .program import Piece
from .traces import CALL, Move, Trace, common_gain

LONGEST = 10
"""Moves of a piece."""


@dataclass(frozen=True)
class Recurring:
    """Pieces of one shape."""

    pieces: tuple[Piece, ...]
    """At most one of each trajectory."""
    saves: int
    """Moves that all trajectories together would be shorter."""


def recurring(
    traces: Sequence[Trace], *, least: int = 3, longest: int = LONGEST
) -> list[Recurring]:
    """Return pieces of at least two moves that came in several trajectories, the most saving first.

    Only pieces after which something checkable was gained in every one are returned; whole trajectories
    count too.

    Args:
        traces: Of one environment.
        least: Trajectories that a piece has to come in.
        longest: Moves of a piece; a whole trajectory may be longer.
    """
    found: dict[object, list[Piece]] = {}
    for trace in traces:
        taken: set[object] = set()
        for first, last in _windows(len(trace.moves), longest):
            key = (shape(trace.moves[first:last]), _alike(trace.moves[first:last]))
            if len(key[0]) > 1 and key not in taken:
                taken.add(key)
                found.setdefault(key, []).append(Piece(trace, first, last))
    kept = []
    for pieces in found.values():
        if len(pieces) < least or not gained(pieces) or not known_before(pieces):
            continue
        if len(pieces[0].trace.moves) > pieces[0].last and _ends_idle(pieces):
            continue
        saves = sum(p.last - p.first - 1 for p in pieces)
        kept.append(Recurring(tuple(pieces), saves))
    return sorted(kept, key=lambda r: (-r.saves, -len(r.pieces), str(r.pieces[0])))


def gained(pieces: Sequence[Piece]) -> bool:
    """Return whether every piece brought something: a fact that grew, or something carried."""
    if common_gain([p.effects for p in pieces]):
        return True
    return all(_picked_up(p) for p in pieces)


def known_before(pieces: Sequence[Piece]) -> bool:
    """Return whether all arguments of calls are known when the first is made: else they are no one call.

    What all pieces have in common is; and what the task or an earlier answer said. A call that ends the
    episode is left to who decides that it is over.
    """
    moves = [p.trace.moves[p.first : p.last] for p in pieces]
    if any(move.method != CALL for move in moves[0]):
        return not any(move.method == CALL for move in moves[0])
    if any(p.last == len(p.trace.moves) for p in pieces):
        return False
    for column in list(zip(*moves, strict=True))[1:]:
        for values in zip(*(move.values for move in column), strict=True):
            if all(value == values[0] for value in values):
                continue
            for piece, value in zip(pieces, values, strict=True):
                said = "\n".join(piece.trace.answers[: piece.first])
                if place_of(value, piece.trace.goal, said) is None:
                    return False
    return True


def _picked_up(piece: Piece) -> bool:
    before = str(piece.trace.facts[piece.first].get("carried", ""))
    after = str(piece.trace.facts[piece.last].get("carried", ""))
    return before != after


def _ends_idle(pieces: Sequence[Piece]) -> bool:
    """Return whether the last move brought nothing; actions are one thing, calls of tools several."""
    if pieces[0].trace.moves[pieces[0].last - 1].method == CALL:
        return not gained([Piece(p.trace, p.last - 1, p.last) for p in pieces])
    return gained([Piece(p.trace, p.first, p.last - 1) for p in pieces])


def _alike(moves: Sequence[Move]) -> tuple[int, ...]:
    """Return which parts of moves are equal: pieces that differ in that are of different skills."""
    parts = [part for move, _ in collapsed(moves) for part in move.parts()]
    return tuple(parts.index(part) for part in parts)


def _windows(n: int, longest: int) -> Iterator[tuple[int, int]]:
    for first in range(n):
        for last in range(first + 2, min(n, first + longest) + 1):
            yield first, last
    if n > longest:
        yield 0, n


def retold(
    traces: Sequence[Trace],
    pieces: Sequence[Piece],
    skill: str,
    arguments: Sequence[Mapping[str, Fact]],
) -> list[Trace]:
    """Return the trajectories with a skill's call in the place of its pieces.

    Args:
        traces: All of them.
        pieces: What the skill does.
        skill: `name@version`.
        arguments: Of the call, one a piece.
    """
    by_trace = {
        id(piece.trace): (piece, known) for piece, known in zip(pieces, arguments, strict=True)
    }
    found = []
    for trace in traces:
        if id(trace) not in by_trace:
            found.append(trace)
            continue
        piece, known = by_trace[id(trace)]
        call = Move(method="skill", skill=skill, names=tuple(known), values=tuple(known.values()))
        a, b = piece.first, piece.last
        found.append(
            trace.model_copy(
                update={
                    "moves": (*trace.moves[:a], call, *trace.moves[b:]),
                    "facts": (*trace.facts[: a + 1], *trace.facts[b:]),
                    "actions": (
                        *trace.actions[:a],
                        tuple(step for some in trace.actions[a:b] for step in some),
                        *trace.actions[b:],
                    ),
                    "offered": (*trace.offered[: a + 1], *trace.offered[b:])
                    if trace.offered
                    else (),
                    "answers": (*trace.answers[:a], *trace.answers[b - 1 :]),
                }
            )
        )
    return found
