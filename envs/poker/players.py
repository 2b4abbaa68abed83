"""The three opponents and, for each, how to beat him: all are rules over what a player knows at his turn.

Ada folds to raises, Ben calls them, Cleo makes them; so what wins from one loses to another. None looks at the
chips behind or at what was played in other hands: they do not learn.
"""

from collections.abc import Callable

from .table import Bid, HandView

Rule = Callable[[HandView], Bid]


def ada(view: HandView) -> Bid:
    """Pay to see cards, fold to any raise but with a strong hand; never raise."""
    return Bid("fold") if view.theirs and view.held.level < 3 else _stay(view)


def ben(view: HandView) -> Bid:
    """Call whatever is asked; never raise."""
    return _stay(view)


def cleo(view: HandView) -> Bid:
    """Raise the pot once a street with anything; fold to a raise after it but with a strong hand."""
    if not view.mine and view.sizes:
        return Bid("raise", "pot" if "pot" in view.sizes else "all in")
    return Bid("fold") if view.theirs and view.held.level < 3 else _stay(view)


def against_ada(view: HandView) -> Bid:
    """Raise the least with anything until she stands; then only a strong hand goes on."""
    strong = view.held.level == 3
    if not view.mine and view.sizes and (strong or not view.stood):
        return Bid("raise", "least" if "least" in view.sizes else "all in")
    return Bid("fold") if view.theirs and not strong else _stay(view)


def against_ben(view: HandView) -> Bid:
    """Raise the pot with a good hand, all in with a strong one; check and fold the rest."""
    if view.held.level >= 2 and not view.mine and view.sizes:
        pot = view.held.level == 2 and "pot" in view.sizes
        return Bid("raise", "pot" if pot else "all in")
    return Bid("fold") if view.theirs and view.held.level < 2 else _stay(view)


def against_cleo(view: HandView) -> Bid:
    """Let her raise, then raise her; a hand that she stands with is given up but with a strong one."""
    if view.theirs and not view.mine and view.sizes and view.stood < 2:
        return Bid("raise", "least" if "least" in view.sizes else "all in")
    return Bid("fold") if view.theirs and view.held.level < 3 else _stay(view)


OPPONENTS: dict[str, Rule] = {"ada": ada, "ben": ben, "cleo": cleo}
"""By the name of the family."""
REPLIES: dict[str, Rule] = {"ada": against_ada, "ben": against_ben, "cleo": against_cleo}
"""Opponent -> what beats him."""


def _stay(view: HandView) -> Bid:
    return Bid("call" if view.to_call else "check")
