"""One hand between two players: cards and rules are the library's (`texasholdem`), the deal is a seed's.

Knows nothing of who plays how. Sizes of raises are three, so that they have names.
"""

import random
from collections import Counter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ..errors import MissingExtra
from .strength import Strength, strength

if TYPE_CHECKING:
    from texasholdem.card.card import Card

STACK, SMALL_BLIND, BIG_BLIND = 40, 1, 2
"""Chips of each player when a hand begins, and the blinds."""
HERO, OTHER = 0, 1
"""Seats: of who is asked for actions, and of the opponent."""
Verb = Literal["fold", "check", "call", "raise"]
SIZES = ("least", "pot", "all in")


class Bid(NamedTuple):
    """What a player does."""

    verb: Verb
    size: str = ""
    """One of `SIZES`, of a raise."""


class HandView(NamedTuple):
    """What a player knows when it is his turn."""

    street: str
    """`preflop`, `flop`, `turn` or `river`."""
    held: Strength
    to_call: int
    """Chips."""
    pot: int
    """Chips, the bets of this street included."""
    mine: int
    """How often the player raised on this street."""
    theirs: int
    """How often the other one did."""
    stood: int
    """How often the other one raised, or called a raise, on any street."""
    sizes: dict[str, int]
    """Size -> the chips that a raise of it raises to; none where no raise is allowed."""


class CardTable:
    """A hand of two players with `STACK` chips each.

    Args:
        seed: Of the deal; any text.
        button: Who has the button, and so the small blind.

    Raises:
        MissingExtra: The package `texasholdem` is not installed.
    """

    def __init__(self, seed: str, button: int) -> None:
        try:
            from texasholdem.card.card import Card
            from texasholdem.game.game import TexasHoldEm
        except ImportError as error:
            raise MissingExtra("Poker", "poker", "texasholdem") from error
        kept = random.getstate()  # the library shuffles with the process's own numbers
        game = TexasHoldEm(STACK, BIG_BLIND, SMALL_BLIND, max_players=2)
        game.btn_loc = 1 - button  # it moves on by one
        game.start_hand()
        random.setstate(kept)
        deck = [Card(rank + suit) for rank in Card.STR_RANKS for suit in "shdc"]
        random.Random(seed).shuffle(deck)
        for seat in (HERO, OTHER):
            game.hands[seat] = deck[2 * seat : 2 * seat + 2]
        game._deck.cards = deck[4:]
        self._game: TexasHoldEm = game
        self.button = button
        self.folded: int | None = None
        """Who folded, if anybody did."""
        self._stood: Counter[int] = Counter()

    @property
    def turn(self) -> int | None:
        """Whose turn it is; None when the hand is over."""
        return self._game.current_player if self._game.is_hand_running() else None

    @property
    def board(self) -> "list[Card]":
        """The cards that lie open."""
        return list(self._game.board)

    @property
    def street(self) -> str:
        """`preflop`, `flop`, `turn` or `river`; `settle` or `prehand` when the hand is over."""
        return str(self._game.hand_phase.name).lower()

    def cards(self, seat: int) -> "list[Card]":
        """Return the two cards of a player."""
        return list(self._game.hands[seat])

    def chips(self, seat: int) -> int:
        """Return what lies before a player, not in the pot."""
        return int(self._game.players[seat].chips)

    def held(self, seat: int) -> Strength:
        """Return what a player holds with the board as it is."""
        return strength(self.cards(seat), self.board)

    def bids(self) -> tuple[Bid, ...]:
        """Return what the player whose turn it is may do."""
        view = self.view()
        still = (Bid("fold"), Bid("call")) if view.to_call else (Bid("check"),)
        return (*still, *(Bid("raise", size) for size in view.sizes))

    def view(self) -> HandView:
        """Return what the player whose turn it is knows."""
        seat = self._game.current_player
        raises = self._raises()
        return HandView(
            street=self.street,
            held=self.held(seat),
            to_call=min(self._game.chips_to_call(seat), self.chips(seat)),
            pot=self._pot(),
            mine=raises.count(seat),
            theirs=raises.count(1 - seat),
            stood=self._stood[1 - seat],
            sizes=self._sizes(seat),
        )

    def act(self, bid: Bid) -> int:
        """Do what the player whose turn it is does; return to how many chips, of a raise.

        Args:
            bid: One of `bids()`.
        """
        from texasholdem.game.action_type import ActionType

        seat = self._game.current_player
        view = self.view()
        self._stood[seat] += bid.verb == "raise" or (bid.verb == "call" and view.theirs > 0)
        if bid.verb == "fold":
            self.folded = seat
        total = view.sizes[bid.size] if bid.verb == "raise" else None
        self._game.take_action(ActionType[bid.verb.upper()], total=total)
        return total or 0

    def _pot(self) -> int:
        return sum(int(pot.get_total_amount()) for pot in self._game.pots)

    def _raises(self) -> list[int]:
        """Return who raised on this street, in order."""
        taken: list[Any] = self._game.hand_history[self._game.hand_phase].actions
        return [action.player_id for action in taken if action.action_type.name == "RAISE"]

    def _sizes(self, seat: int) -> dict[str, int]:
        game = self._game
        allowed = game.get_available_moves().raise_range
        if not allowed or self.chips(1 - seat) == 0:
            return {}
        to_call = game.chips_to_call(seat)
        pot = game.player_bet_amount(seat) + to_call + self._pot() + to_call
        asked = {"least": allowed[0], "pot": pot, "all in": allowed[-1]}
        # a raise of most of the chips is all in: one name for one thing
        return {
            size: total
            for size, total in asked.items()
            if size == "all in" or allowed[0] <= total < allowed[-1]
            if size != "pot" or total > allowed[0]
        }
