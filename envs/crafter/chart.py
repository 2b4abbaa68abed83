"""The map of what the player has seen, as it was when last seen, and the ways over it.

What lies outside the window is remembered, never looked up: code that walks by a chart knows no more than a
player could.
"""

from collections.abc import Collection, Iterator

import numpy as np
from numpy.typing import NDArray

from .words import CREATURES, FREE, KINDS

CODE = {kind: code for code, kind in enumerate(KINDS)}
Cell = tuple[int, int]
"""(east, south) of the world's north-west corner."""
Costs = dict[str, int]
"""Kind -> steps that a cell of it costs; kinds that are not named cannot be crossed."""
WALK: Costs = {**dict.fromkeys(FREE, 1), **dict.fromkeys(CREATURES, 3)}
_FAR = 1 << 30


class Chart:
    """What is known of a world.

    Args:
        area: Cells of the world, as (east, south).
    """

    def __init__(self, area: Cell) -> None:
        self._codes = np.full((area[0] + 2, area[1] + 2), CODE["edge"], np.uint8)
        self._codes[1:-1, 1:-1] = CODE["unknown"]
        self._row = area[1] + 2

    def note(self, left: int, top: int, shown: NDArray[np.uint8]) -> int:
        """Enter what is in sight.

        Args:
            left: East of the window's north-west cell.
            top: South of it.
            shown: Codes of the cells, indexed [east, south].

        Returns:
            How many cells were unknown before.
        """
        width, height = shown.shape
        part = self._codes[left + 1 : left + 1 + width, top + 1 : top + 1 + height]
        new = int(np.count_nonzero(part == CODE["unknown"]))
        part[...] = shown
        return new

    def kind(self, cell: Cell) -> str:
        """Return what a cell showed when it was last seen."""
        east, south = cell[0] + 1, cell[1] + 1
        if 0 <= east < self._codes.shape[0] and 0 <= south < self._row:
            return KINDS[int(self._codes[east, south])]
        return "edge"

    def how_many(self, kind: str) -> int:
        """Return how many cells of a kind are known."""
        return int(np.count_nonzero(self._codes == CODE[kind]))

    def cells(self, kind: str) -> list[Cell]:
        """Return the known cells of a kind."""
        return [(int(x) - 1, int(y) - 1) for x, y in np.argwhere(self._codes == CODE[kind])]

    def dump(self) -> bytes:
        """Return the whole map, for `load`."""
        return self._codes.tobytes()

    def load(self, state: bytes) -> None:
        """Go back to a map that `dump` returned."""
        self._codes = np.frombuffer(state, np.uint8).reshape(self._codes.shape).copy()

    def way_to(self, start: Cell, goals: Collection[Cell], costs: Costs) -> list[Cell]:
        """Return the cheapest way to one of the cells, which itself need not be one to cross.

        Returns:
            The cells after `start`, the goal last; empty when there is no way, or `start` is a goal.
        """
        wanted = {self._flat(cell) for cell in goals}
        before: dict[int, int] = {}
        for place in self._spread(self._flat(start), costs, wanted, before):
            if place in wanted:
                return self._track(place, before)
        return []

    def way_out(self, start: Cell, costs: Costs, near: str = "") -> list[Cell]:
        """Return the way to the edge of what is known: to a cell that can be crossed, beside an unknown one.

        Args:
            start: Where from.
            costs: Of the cells.
            near: Prefer edges with cells of this kind around, as if others were 15 steps farther.
        """
        codes = self._codes.tobytes()
        before: dict[int, int] = {}
        around = self._around(near) if near else b""
        best, least = -1, _FAR
        spent: dict[int, int] = {}
        for place in self._spread(self._flat(start), costs, (), before, spent):
            if spent[place] >= least:
                break
            if any(codes[place + step] == 0 for step in (-1, 1, -self._row, self._row)):
                cost = spent[place] + (15 if near and not around[place] else 0)
                if cost < least:
                    best, least = place, cost
        return self._track(best, before) if best >= 0 else []

    def _spread(
        self,
        start: int,
        costs: Costs,
        goals: Collection[int],
        before: dict[int, int],
        spent: dict[int, int] | None = None,
    ) -> Iterator[int]:
        """Yield cells by rising cost from `start` (Dial's buckets), and note how each was reached."""
        codes = self._codes.tobytes()
        price = [costs.get(kind, 0) for kind in KINDS]
        spent = {} if spent is None else spent
        spent[start] = 0
        settled = {start}
        buckets: dict[int, list[int]] = {0: [start]}
        cost = 0
        while buckets:
            for place in buckets.pop(cost, ()):
                if place != start:
                    if place in settled:
                        continue
                    settled.add(place)
                    yield place
                    if not price[codes[place]]:
                        continue
                for step in (-self._row, self._row, -1, 1):
                    after = place + step
                    toll = price[codes[after]] or (1 if after in goals else 0)
                    if toll and after not in settled and cost + toll < spent.get(after, _FAR):
                        spent[after], before[after] = cost + toll, place
                        buckets.setdefault(cost + toll, []).append(after)
            cost += 1

    def _track(self, place: int, before: dict[int, int]) -> list[Cell]:
        way = []
        while place in before:
            way.append((place // self._row - 1, place % self._row - 1))
            place = before[place]
        return way[::-1]

    def _around(self, kind: str) -> bytes:
        """Return for each cell whether the kind is within two steps, as flat bytes."""
        there = self._codes == CODE[kind]
        for _ in range(2):
            grown = there.copy()
            grown[1:] |= there[:-1]
            grown[:-1] |= there[1:]
            grown[:, 1:] |= there[:, :-1]
            grown[:, :-1] |= there[:, 1:]
            there = grown
        return bytes(there.tobytes())

    def _flat(self, cell: Cell) -> int:
        return (cell[0] + 1) * self._row + cell[1] + 1
