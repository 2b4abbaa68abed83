"""How good two cards and a board are: one of four levels, and the hand in words.

A hand that the board has without the two cards is nothing: both players hold it.
"""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from texasholdem.card.card import Card

RANKS = (
    *("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("jack", "queen", "king", "ace"),
)
TEN, QUEEN, ACE = (RANKS.index(name) for name in ("ten", "queen", "ace"))
LEVELS = ("a poor hand", "a fair hand", "a good hand", "a strong hand")
SUITS = {1: "♠", 2: "♥", 4: "♦", 8: "♣"}
_TRIPS = 6
"""The library's class of three of a kind; straights, flushes and better have lower ones."""


class Strength(NamedTuple):
    """What a player holds."""

    level: int
    """0 to 3, an index of `LEVELS`."""
    words: str
    """As `a pair of kings`, or `nothing yet, ace high`."""

    def __str__(self) -> str:
        return f"{self.words}: {LEVELS[self.level]}"


def strength(hole: Sequence["Card"], board: Sequence["Card"]) -> Strength:
    """Return how good a hand is.

    Args:
        hole: The player's two cards.
        board: None, or three to five cards.
    """
    return _made(hole, board) if board else _dealt(hole)


def written(cards: Sequence["Card"]) -> str:
    """Return cards as `K♥ 9♠`; a ten is `10`."""
    return " ".join(
        f"{'10' if card.rank == TEN else str(card)[0]}{SUITS[card.suit]}" for card in cards
    )


def _dealt(hole: Sequence["Card"]) -> Strength:
    low, high = sorted(card.rank for card in hole)
    if low == high:
        return Strength(3 if low >= TEN else 2, f"a pair of {_many(low)}")
    level = int(low >= TEN) + int(high == ACE) + int(low >= QUEEN and high == ACE)
    return Strength(level, f"{RANKS[high]} and {RANKS[low]}")


def _made(hole: Sequence["Card"], board: Sequence["Card"]) -> Strength:
    from texasholdem.evaluator import evaluator

    rank = evaluator.evaluate(list(hole), list(board))
    shared = len(board) == 5 and rank == evaluator.evaluate(list(board[:2]), list(board[2:]))
    known = Counter(card.rank for card in (*hole, *board))
    own = sorted({card.rank for card in hole if known[card.rank] > 1}, reverse=True)
    kind = evaluator.get_rank_class(rank)
    if not shared and (kind < _TRIPS or (kind == _TRIPS and own)):
        return Strength(3, evaluator.rank_to_string(rank).lower())
    if len(own) > 1:
        return Strength(3, f"two pair, {_many(own[0])} and {_many(own[1])}")
    if own:
        top = max(card.rank for card in board)
        return Strength(2 if own[0] >= top else 1, f"a pair of {_many(own[0])}")
    yet = "" if len(board) == 5 else " yet"
    return Strength(0, f"nothing{yet}, {RANKS[max(card.rank for card in hole)]} high")


def _many(rank: int) -> str:
    return RANKS[rank] + ("es" if RANKS[rank] == "six" else "s")
