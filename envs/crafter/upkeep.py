"""Staying alive meanwhile: what a player does without being told, before it goes on with its task."""

from .player import Player

_LOW = 4
_TIRED = 3


class Upkeep:
    """Drinks, eats and sleeps when it is time.

    Args:
        crafter: The environment, whose own primitives are called.
    """

    def __init__(self, crafter: Player) -> None:
        self._crafter = crafter

    def keep_alive(self) -> bool:
        """Drink, eat or sleep if thirst, hunger or tiredness ask for it.

        Returns:
            Whether something was done.
        """
        api, done = self._crafter.api(), False
        for vital, low, method in (
            ("drink", _LOW, "drink"),
            ("food", _LOW, "eat"),
            ("energy", _TIRED, "rest"),
        ):
            if self._crafter.game.inventory[vital] < low:
                done = True
                api[method]()
        return done
