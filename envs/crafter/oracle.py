"""A scripted player that knows the recipes and nothing else: the measure of what the primitives allow.

It acts through `Environment.api()` alone, as a skill does; `gold` is made of what it did.
"""

from collections.abc import Callable
from typing import Any

from ..base import Environment
from ..errors import EpisodeOver
from ..types import Transition
from .words import ACHIEVEMENTS, OPEN

_ORDER = (
    "collect_sapling",
    "place_plant",
    "collect_wood",
    "place_table",
    "make_wood_pickaxe",
    "make_wood_sword",
    "eat_cow",
    "collect_drink",
    "collect_stone",
    "place_stone",
    "make_stone_pickaxe",
    "make_stone_sword",
    "collect_coal",
    "place_furnace",
    "wake_up",
    "defeat_zombie",
    "collect_iron",
    "make_iron_pickaxe",
    "make_iron_sword",
    "collect_diamond",
    "defeat_skeleton",
    "eat_plant",
)
_SOURCES = {
    "sapling": ("grass", "grass"),
    "wood": ("tree", "grass"),
    "stone": ("stone", "stone"),
    "coal": ("coal", "stone"),
    "iron": ("iron", "stone"),
    "diamond": ("diamond", "stone"),
}
"""Item -> what it is got from, and the ground around which to look for that."""
_TOOL_FOR = {
    "stone": "wood_pickaxe",
    "coal": "wood_pickaxe",
    "iron": "stone_pickaxe",
    "diamond": "iron_pickaxe",
}
_TOOLS = {
    "wood_pickaxe": {"wood": 1},
    "wood_sword": {"wood": 1},
    "stone_pickaxe": {"wood": 1, "stone": 1},
    "stone_sword": {"wood": 1, "stone": 1},
    "iron_pickaxe": {"wood": 1, "coal": 1, "iron": 1},
    "iron_sword": {"wood": 1, "coal": 1, "iron": 1},
}
_TABLE, _FURNACE = 2, 4
"""Wood of a table, stone of a furnace."""
_RIPE_AFTER = 330
"""Steps that a plant takes to ripen, with a margin."""
_ROUNDS = 3
_WEAK, _SLEEPY = 5, 8
_STRETCH = 50
"""Steps of a walk between two looks at how the player is."""


def oracle(environment: Environment, rounds: int = _ROUNDS) -> tuple[str, ...]:
    """Play the task that was just reset, by the script; return the actions it took.

    Args:
        environment: Crafter, freshly reset.
        rounds: How often what failed is tried again.
    """
    actions: list[str] = []
    outer = environment.watcher

    def note(action: str, done: Transition) -> None:
        actions.append(action)
        if outer is not None:
            outer(action, done)

    environment.watcher = note
    try:
        _Script(environment).play(environment.seen().task.family, rounds)
    except EpisodeOver:
        pass  # won, dead or out of steps: the environment says which
    finally:
        environment.watcher = outer
    return tuple(actions)


class _Script:
    """The knowledge of what each achievement needs."""

    def __init__(self, environment: Environment) -> None:
        self._api: dict[str, Callable[..., Any]] = dict(environment.api())
        self._caring = False

    def play(self, family: str, rounds: int) -> None:
        """Go for one achievement, or for all in turn.

        Args:
            family: An achievement, or `open`.
            rounds: How often each is tried.
        """
        for _ in range(rounds):
            for name in _ORDER if family == OPEN else (family,):
                self.reach(name)
            if all(self.has(name) for name in ACHIEVEMENTS):
                return

    def reach(self, name: str) -> bool:
        """Bring one achievement about, with all that it needs; return whether it is unlocked."""
        if self.has(name):
            return True
        kind, _, what = name.partition("_")
        match kind, what:
            case "collect", "drink":
                self.go("water")
                self.act("do")
            case "collect", item:
                self.gather(item, 1)
            case "place", "table":
                self.table()
            case "place", "furnace":
                self.furnace()
            case "place", "plant":
                self.plant()
            case "place", "stone":
                if self.gather("stone", 1) and self.call("face_free"):
                    self.act("place_stone")
            case "make", tool:
                self.make(tool)
            case "defeat", foe:
                self.defeat(foe)
            case "eat", "cow":
                self.call("eat")
            case "eat", _:
                self.grow()
            case _:
                self.sleep()
        return self.has(name)

    def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call a primitive."""
        return self._api[method](*args, **kwargs)

    def act(self, action: str) -> None:
        """Take one action."""
        self.call("act", action)

    def go(self, kind: str, near: str = "", steps: int = 400) -> bool:
        """Walk to something, looking after itself between stretches; return whether it is faced."""
        for _ in range(max(1, steps // _STRETCH)):
            if self.call("goto", kind, near, min(steps, _STRETCH)):
                return True
            self.care()
        return False

    def fact(self, name: str) -> Any:
        """Return a fact."""
        return self.call("facts")[name]

    def has(self, achievement: str) -> bool:
        """Return whether an achievement is unlocked."""
        return bool(self.fact(f"unlocked.{achievement}"))

    def count(self, item: str) -> int:
        """Return how many of an item are carried."""
        return int(self.call("count", item))

    def care(self) -> None:
        """See to thirst, hunger, sleep and wounds before they kill."""
        if self._caring:
            return
        self._caring = True
        try:
            dark = self.fact("dark")
            tired = self.count("energy") <= (_SLEEPY if dark else 2)
            if (tired or self.count("health") <= _WEAK) and self.has("make_wood_pickaxe"):
                self.gather("stone", 3)
                self.call("rest")
                dark = self.fact("dark")
            low, near = (2, 2) if dark else (4, 6)
            if self.count("drink") <= (near if self.fact("near.water") else low):
                self.call("drink")
            if self.count("food") <= (near if self.fact("near.cow") else low):
                self.call("eat")
        finally:
            self._caring = False

    def gather(self, item: str, number: int) -> bool:
        """Collect until so many are carried; return whether they are."""
        tool = _TOOL_FOR.get(item)
        if tool and not self.count(tool) and not self.make(tool):
            return False
        kind, near = _SOURCES[item]
        for _ in range(15 * number + 30):
            if self.count(item) >= number:
                return True
            self.care()
            if not self.go(kind, near):
                return False
            self.act("do")
        return False

    def table(self, spare: int = 0) -> bool:
        """Stand at a table, with so much wood left."""
        for _ in range(4):
            if self.fact("near.table"):
                return True
            if self.call("knows", "table") and self.go("table", steps=25):
                continue
            if not self.gather("wood", min(9, _TABLE + spare)) or not self.call("face_free"):
                return False
            self.act("place_table")
        return bool(self.fact("near.table"))

    def furnace(self, spare: int = 0) -> bool:
        """Stand at a furnace, with so much stone left."""
        for _ in range(4):
            if self.fact("near.furnace"):
                return True
            if not self.gather("stone", min(9, _FURNACE + spare)) or not self.call("face_free"):
                return False
            self.act("place_furnace")
        return bool(self.fact("near.furnace"))

    def make(self, tool: str) -> bool:
        """Make a tool with all that it needs; return whether it is carried."""
        needs, iron = _TOOLS[tool], tool.startswith("iron")
        for _ in range(3):
            if self.count(tool):
                return True
            wood = needs["wood"] + _TABLE
            if not self.has("make_wood_sword"):
                wood += 1
            elif not iron:
                wood += 3
            if not self.fact("near.table") or not self.count("wood"):
                self.gather("wood", wood)
            got = [self.gather(item, n) for item, n in needs.items() if item != "wood"]
            if not all(got) or (iron and not self.gather("stone", _FURNACE)):
                return False
            if not self.table(needs["wood"]) or (iron and not self.furnace()):
                continue
            if iron and not self.table(needs["wood"]):
                continue
            self.act(f"make_{tool}")
        return bool(self.count(tool))

    def plant(self) -> bool:
        """Plant a sapling; return whether it stands."""
        if not self.gather("sapling", 1) or not self.go("grass"):
            return False
        self.act("place_plant")
        return bool(self.fact("facing") == "plant")

    def defeat(self, foe: str) -> None:
        """Look for a zombie or a skeleton and defeat it."""
        near = "grass" if foe == "zombie" else "path"
        for _ in range(25):
            if self.has(f"defeat_{foe}"):
                return
            self.care()
            if self.go(foe, near, 250):
                self.act("do")

    def sleep(self) -> None:
        """Sleep until it woke up."""
        for _ in range(4):
            if self.has("wake_up"):
                return
            while self.count("energy") > 8:
                self.act("noop")
            self.care()
            self.call("rest")

    def grow(self) -> None:
        """Plant a sapling, fence it in, and wait beside it until it is ripe."""
        if not self.gather("stone", 9) or not self.plant():
            return
        x, y = self.call("position")
        east, south = self._faced()
        x, y = x + east, y + south
        for cell in ((x, y - 1), (x, y + 1), (x - 1, y), (x + 1, y)):
            if self.call("aim", *cell) and self.fact("facing") in ("grass", "sand", "path"):
                self.act("place_stone")
        end = int(self.fact("steps")) + _RIPE_AFTER
        while True:
            self.care()
            self.call("aim", x, y)
            if self.fact("facing") == "ripe_plant":
                self.act("do")
                return
            if self.fact("facing") != "plant" or self.fact("steps") > end + 200:
                return
            self.call("shelter")
            for _ in range(60):
                if self.fact("steps") > end or min(map(self.count, ("food", "drink"))) <= 3:
                    break
                self.call("guard")
                self.act("noop")

    def _faced(self) -> tuple[int, int]:
        text = str(self.call("observe"))
        for word, step in (("north", (0, -1)), ("south", (0, 1)), ("west", (-1, 0))):
            if f" to the {word}. Status" in text:
                return step
        return (1, 0)
