"""Where to sleep: finds a room of two cells that little work closes on all sides.

Creatures walk on grass, sand and path only, and strike from the four sides, so a closed room is safe. It has
two cells because a free cell can be faced only by stepping toward it: from the inner to the outer one.
"""

from dataclasses import dataclass

from .chart import Cell, Chart
from .walking import beside
from .words import CREATURES, DIRECTIONS, FREE

_REACH = 8
"""How far away a room may be, in cells each way."""
_WALL, _DIG = 7, 2
"""Steps that placing one wall, and digging one cell, are taken to cost."""


@dataclass(frozen=True)
class Room:
    """Two cells in a line, and what to do to close them."""

    entrance: Cell
    """Where it is entered from, and where the last stone goes."""
    outer: Cell
    inner: Cell
    walls: tuple[Cell, ...]
    """Cells that are open and need a stone, placed from outside."""

    def closed(self, chart: Chart) -> bool:
        """Return whether no way leads in, but through what creatures cannot cross."""
        sides = {beside(c, way) for c in (self.outer, self.inner) for way in DIRECTIONS.values()}
        sides -= {self.outer, self.inner}
        return all(chart.kind(side) not in (*FREE, *CREATURES) for side in sides)


def find_room(chart: Chart, position: Cell, stones: int, dig: bool) -> Room | None:
    """Return the room that costs the fewest steps, None when there is none to be made.

    Args:
        chart: What has been seen.
        position: Of the player.
        stones: How many can be placed.
        dig: Whether stone can be dug.
    """
    best, least = None, 1 << 30
    for east in range(position[0] - _REACH, position[0] + _REACH + 1):
        for south in range(position[1] - _REACH, position[1] + _REACH + 1):
            entrance = (east, south)
            if chart.kind(entrance) not in FREE:
                continue
            away = abs(east - position[0]) + abs(south - position[1])
            for step in DIRECTIONS.values():
                if away < least:
                    room, cost = _room(chart, entrance, step, stones, dig)
                    if room is not None and away + cost < least:
                        best, least = room, away + cost
    return best


def _room(
    chart: Chart, entrance: Cell, step: Cell, stones: int, dig: bool
) -> tuple[Room | None, int]:
    outer = beside(entrance, step)
    inner = beside(outer, step)
    digs = 0
    for cell in (outer, inner):
        kind = chart.kind(cell)
        if kind == "stone" and dig:
            digs += 1
        elif kind not in FREE:
            return None, 0
    side = (step[1], step[0])
    other = (-step[1], -step[0])
    around = [beside(cell, way) for cell in (outer, inner) for way in (side, other)]
    walls = []
    for cell in (*around, beside(inner, step)):
        kind = chart.kind(cell)
        if kind in FREE:
            walls.append(cell)
        elif kind in ("unknown", "lava", *CREATURES):
            return None, 0
    if len(walls) > stones or len(walls) + 1 > stones + digs:
        return None, 0
    cost = _WALL * len(walls) + _DIG * digs
    return Room(entrance=entrance, outer=outer, inner=inner, walls=tuple(walls)), cost
