"""Upstream's Crafter made reproducible and pixel-free; what it looks like in words is not known here.

Upstream keeps the things of a chunk in a set and iterates over it, so that one seed has many histories; here
a chunk keeps its order. Nothing of upstream's classes is changed: only the objects that this file makes.
"""

import pickle
import sys
import warnings
from collections import OrderedDict, defaultdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import MissingExtra
from .words import ACTIONS, KINDS

_CODE = {kind: code for code, kind in enumerate(KINDS)}
_REACH = (4, 3)
"""How far is seen, east-west and north-south: upstream's 9 x 7 window."""
_DARK = 0.35
"""Daylight below which it is dark."""
_KEPT = 64
"""Generated worlds that are remembered; one takes about a second to make and 40 KiB."""
_worlds: OrderedDict[int, bytes] = OrderedDict()


class Ordered(dict[Any, None]):
    """A set that keeps the order of adding, with the two methods that upstream uses."""

    def add(self, item: Any) -> None:
        """Add an item."""
        self[item] = None

    def remove(self, item: Any) -> None:
        """Remove an item."""
        del self[item]


class Game:
    """One world and the player in it.

    Args:
        seed: Of the world and of everything that happens in it.

    Raises:
        MissingExtra: Crafter is not installed.
    """

    def __init__(self, seed: int) -> None:
        if seed not in _worlds:
            _worlds[seed] = pickle.dumps(_generated(seed))
        _worlds.move_to_end(seed)
        while len(_worlds) > _KEPT:
            _worlds.popitem(last=False)
        self._env: Any = pickle.loads(_worlds[seed])

    def step(self, action: str) -> None:
        """Let the player act and the world go on."""
        self._env.step(ACTIONS.index(action))

    def dump(self) -> bytes:
        """Return the whole state."""
        return pickle.dumps(self._env)

    def load(self, state: bytes) -> None:
        """Go back to a state that `dump` of this process returned."""
        self._env = pickle.loads(state)

    @property
    def position(self) -> tuple[int, int]:
        """Where the player is, as (east, south) of the north-west corner."""
        x, y = self._env._player.pos
        return int(x), int(y)

    @property
    def facing(self) -> tuple[int, int]:
        """Where the player looks, as (east, south)."""
        x, y = self._env._player.facing
        return int(x), int(y)

    @property
    def inventory(self) -> dict[str, int]:
        """Items and vitals with their counts, zeros too."""
        return {name: int(count) for name, count in self._env._player.inventory.items()}

    @property
    def counts(self) -> dict[str, int]:
        """How often each achievement was reached."""
        return {name: int(count) for name, count in self._env._player.achievements.items()}

    @property
    def unlocked(self) -> tuple[str, ...]:
        """The achievements that were reached, sorted."""
        return tuple(sorted(name for name, count in self.counts.items() if count))

    @property
    def asleep(self) -> bool:
        """Whether the player sleeps."""
        return bool(self._env._player.sleeping)

    @property
    def dark(self) -> bool:
        """Whether it is night."""
        return bool(self._env._world.daylight < _DARK)

    @property
    def dead(self) -> bool:
        """Whether the player has died."""
        return bool(self._env._player.health <= 0)

    @property
    def area(self) -> tuple[int, int]:
        """Size of the world in cells, as (east, south)."""
        width, height = self._env._world.area
        return int(width), int(height)

    def within_reach(self, material: str) -> bool:
        """Return whether a material is near enough to work at, by upstream's own measure (Player._make)."""
        found, _ = self._env._world.nearby(self._env._player.pos, 1)
        return material in found

    def window(self) -> tuple[int, int, NDArray[np.uint8]]:
        """Return what is in sight.

        Returns:
            East and south of its north-west cell, and the codes of its cells, indexed [east, south]; at the
            border of the world the window is smaller. The player's own cell shows the ground.
        """
        world, (x, y), (width, height) = self._env._world, self.position, self.area
        left, top = max(0, x - _REACH[0]), max(0, y - _REACH[1])
        cut = (
            slice(left, min(width, x + _REACH[0] + 1)),
            slice(top, min(height, y + _REACH[1] + 1)),
        )
        names = np.array([_CODE[name or "unknown"] for name in world._mat_names.values()], np.uint8)
        shown: NDArray[np.uint8] = names[world._mat_map[cut]]
        for east, south in np.argwhere(world._obj_map[cut]):
            thing = world._objects[world._obj_map[left + east, top + south]]
            if thing is not self._env._player:
                kind = type(thing).__name__.lower()
                ripe = kind == "plant" and thing.ripe
                shown[east, south] = _CODE["ripe_plant" if ripe else kind]
        return left, top, shown


def require() -> Any:
    """Return the package, imported so that nothing is printed.

    Crafter needs no gym, but imports it when it is there, and gym prints that it is unmaintained.

    Raises:
        MissingExtra: It is not installed.
    """
    held = sys.modules.get("gym")
    if "crafter" not in sys.modules and held is None:
        sys.modules["gym"] = None  # type: ignore[assignment]  # makes `import gym` an ImportError
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import crafter
    except ImportError as error:
        raise MissingExtra("Crafter", "crafter", "crafter") from error
    finally:
        if held is None and sys.modules.get("gym", held) is None:
            sys.modules.pop("gym", None)
    return crafter


def _generated(seed: int) -> Any:
    env = require().Env(seed=seed, length=None)
    env._textures = env._local_view = env._item_view = None
    env._obs = env._sem_view = _nothing  # no pictures
    env.reset()
    world = env._world
    world._chunks = defaultdict(Ordered)
    for thing in world.objects:
        world._chunks[world.chunk_key(thing.pos)].add(thing)
    return env


def _nothing() -> None:
    """Stand where upstream draws."""
