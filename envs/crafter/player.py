"""What the control primitives need of the environment that they play in."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from ..types import Observation
from .chart import Chart
from .game import Game


class Player(Protocol):
    """An episode of Crafter that is being played."""

    @property
    def game(self) -> Game:
        """The world."""

    @property
    def chart(self) -> Chart:
        """What was seen of it."""

    def take(self, action: str) -> None:
        """Take one action; raises `EpisodeOver` when the episode ends with it."""

    def seen(self) -> Observation:
        """Return what was observed last."""

    def api(self) -> Mapping[str, Callable[..., Any]]:
        """Return the primitives by name."""
