"""The control primitives that a skill may call: moving, looking, staying alive.

No recipe and nothing that collects or crafts for a purpose: that is what skills are for. Each primitive takes
its steps through `Environment.step` and ends with `EpisodeOver` when the episode does.
"""

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import UnknownName, UsageError
from .player import Player
from .shelter import Room, find_room
from .walking import Walker
from .words import DIRECTIONS, FREE, ITEMS, KINDS, VITALS

_FULL = 9
_LONGEST_SLEEP = 300
_MEALS = 12
_HEALED = 8


class Controls:
    """What a skill may do besides single actions.

    Args:
        crafter: Whose player.
    """

    def __init__(self, crafter: Player) -> None:
        self._crafter = crafter
        self._walker = Walker(crafter)

    def methods(self) -> Mapping[str, Callable[..., Any]]:
        """Return the primitives by name."""
        return {
            "count": self.count,
            "knows": self.knows,
            "position": self.position,
            "goto": self.goto,
            "explore": self.explore,
            "aim": self.aim,
            "face_free": self.face_free,
            "guard": self.guard,
            "shelter": self.shelter,
            "rest": self.rest,
            "drink": self.drink,
            "eat": self.eat,
        }

    def count(self, item: str) -> int:
        """Return how many of an item are carried, 0 to 9; also the level of health, food, drink or energy."""
        if item not in (*ITEMS, *VITALS):
            raise UnknownName("item", str(item), (*ITEMS, *VITALS))
        return self._walker.held(item)

    def knows(self, kind: str) -> bool:
        """Return whether something of a kind ("tree", "cow", "iron") was seen and may still be there."""
        return self._walker.chart.how_many(_kind(kind)) > 0

    def position(self) -> list[int]:
        """Return where the player is: steps east and south of where the episode began."""
        (x, y), (width, height) = self._walker.position, self._crafter.game.area
        return [x - width // 2, y - height // 2]

    def goto(self, kind: str, near: str = "", steps: int = 200) -> bool:
        """Walk until something of a kind is faced, exploring while none is known.

        Digs through stone once stone was collected, hits what attacks on the way, keeps out of lava.

        Args:
            kind: "tree", "water", "cow", "iron", "grass" and so on.
            near: While exploring, look first around this kind of ground ("stone", "grass").
            steps: Give up after so many.

        Returns:
            Whether it is faced.
        """
        ground = _kind(near) if near else ""
        return self._walker.seek(_kind(kind), ground, _bounded(steps))

    def explore(self, steps: int = 20, near: str = "") -> bool:
        """Walk to the nearest edge of what is known, again and again.

        Args:
            steps: Stop after so many.
            near: Look first around this kind of ground.

        Returns:
            False when there was no edge to walk to.
        """
        ground = _kind(near) if near else ""
        end = self._walker.steps + _bounded(steps)
        while self._walker.steps < end:
            if not self._walker.explore_once(ground, lambda: self._walker.steps >= end):
                return False
        return True

    def aim(self, east: int, south: int, steps: int = 60) -> bool:
        """Walk until a cell is faced, free or not.

        Args:
            east: Of where the episode began, as `position` counts.
            south: Of where the episode began.
            steps: Give up after so many.

        Returns:
            Whether it is faced.
        """
        width, height = self._crafter.game.area
        cell = (int(east) + width // 2, int(south) + height // 2)
        return self._walker.aim(cell, _bounded(steps))

    def face_free(self) -> bool:
        """Face free ground (grass, sand or path), on which something can be placed.

        Returns:
            Whether it is faced.
        """
        for name in DIRECTIONS:
            self._walker.guard()
            ahead = self._walker.chart.kind(self._walker.ahead)
            if ahead in FREE:
                return True
            x, y = self._walker.position
            east, south = DIRECTIONS[name]
            if self._walker.chart.kind((x + east, y + south)) != "lava":
                self._walker.take(f"move_{name}")
        return self._walker.chart.kind(self._walker.ahead) in FREE

    def guard(self) -> bool:
        """Hit the zombies and skeletons beside the player until they are gone.

        Returns:
            Whether there were any.
        """
        return self._walker.guard()

    def shelter(self) -> bool:
        """Close a room around the player with the stone that is carried, and be in it.

        Returns:
            Whether it is closed; False when there is no place or too little stone for one.
        """
        walker = self._walker
        dig = walker.knows("collect_stone")
        for _ in range(3):
            room = find_room(walker.chart, walker.position, walker.held("stone"), dig)
            if room is None:
                return False
            if self._build(room):
                return True
        return False

    def rest(self) -> bool:
        """Sleep until rested, and wait for health and daylight, in a closed room when there is stone for one.

        Without a room it does not lie down at night or beside a zombie, unless it must.

        Returns:
            Whether the player is rested.
        """
        walker, game = self._walker, self._crafter.game
        safe = self.shelter()
        if not safe and (game.dark or walker.sees("zombie")) and walker.held("energy") > 1:
            return False
        end = walker.steps + _LONGEST_SLEEP
        while walker.steps < end and not self._rested(safe):
            if game.asleep or walker.held("energy") < _FULL:
                if game.asleep or not walker.guard():
                    walker.take("sleep")
            elif not walker.guard():
                walker.wait()
        return walker.held("energy") >= _FULL - 1

    def _rested(self, safe: bool) -> bool:
        walker, game = self._walker, self._crafter.game
        if game.asleep or walker.held("energy") < _FULL:
            return False
        if min(walker.held("food"), walker.held("drink")) < 3 or not safe:
            return True
        return walker.held("health") >= _HEALED and not game.dark

    def drink(self) -> bool:
        """Go to water and drink until nothing more fits.

        Returns:
            Whether the thirst is gone.
        """
        while self._walker.held("drink") < _FULL:
            if not self._walker.seek("water", "", 250):
                break
            self._walker.take("do")
        return self._walker.held("drink") == _FULL

    def eat(self) -> bool:
        """Go to a ripe plant or a cow and eat it.

        Returns:
            Whether something was eaten.
        """
        walker = self._walker
        before = self._crafter.game.counts
        for _ in range(_MEALS):
            kind = "ripe_plant" if walker.chart.how_many("ripe_plant") else "cow"
            if not walker.seek(kind, "grass", 250):
                return False
            walker.take("do")
            now = self._crafter.game.counts
            if any(now[name] > before[name] for name in ("eat_cow", "eat_plant")):
                return True
        return False

    def _build(self, room: Room) -> bool:
        walker = self._walker
        for wall in room.walls:
            if not walker.aim(wall, 40) or walker.chart.kind(wall) not in FREE:
                return False
            walker.take("place_stone")
        if not walker.go(room.entrance, 40):
            return False
        if not (walker.enter(room.outer) and walker.enter(room.inner) and walker.enter(room.outer)):
            return False
        walker.guard()
        walker.take("place_stone")
        return room.closed(walker.chart)


def _kind(name: str) -> str:
    if name not in KINDS[1:]:
        raise UnknownName("kind of thing", str(name), KINDS[1:])
    return name


def _bounded(steps: int) -> int:
    if not isinstance(steps, int) or not 1 <= steps <= 2000:
        raise UsageError(f"steps is a whole number from 1 to 2000, not {steps!r}")
    return steps
