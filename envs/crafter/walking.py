"""Walking by the chart: step by step, hitting what attacks on the way, never into lava.

Knows only what the player has seen. It digs through stone once stone was collected in this episode, and
crosses water on stone once stone was placed: what was not yet done is not yet known.
"""

from collections.abc import Callable

from .chart import WALK, Cell, Chart, Costs
from .player import Player
from .wording import in_sight
from .words import CREATURES, DIRECTIONS, FREE

ATTACKERS = ("zombie", "skeleton")
_NAMES = {step: f"move_{name}" for name, step in DIRECTIONS.items()}
_TRIES = 8
"""Actions that one cell of a way may cost before the way is planned anew."""
_BLOWS = 12


class Walker:
    """The player's legs.

    Args:
        crafter: Whose player; each step is a step of it.
    """

    def __init__(self, crafter: Player) -> None:
        self._crafter = crafter

    @property
    def chart(self) -> Chart:
        """What has been seen."""
        return self._crafter.chart

    @property
    def position(self) -> Cell:
        """Where the player is."""
        return self._crafter.game.position

    @property
    def ahead(self) -> Cell:
        """The cell that is faced."""
        return beside(self.position, self._crafter.game.facing)

    @property
    def steps(self) -> int:
        """Steps of the episode so far."""
        return self._crafter.seen().steps

    def held(self, name: str) -> int:
        """Return how many of an item are carried, or a vital's level."""
        return self._crafter.game.inventory[name]

    def knows(self, achievement: str) -> bool:
        """Return whether an achievement was reached in this episode."""
        return self._crafter.game.counts[achievement] > 0

    def take(self, action: str) -> None:
        """Take one action.

        Raises:
            EpisodeOver: The episode ended with it.
        """
        self._crafter.take(action)

    def sees(self, kind: str) -> bool:
        """Return whether something of a kind is in sight."""
        return kind in in_sight(self._crafter.game)

    def costs(self) -> Costs:
        """Return what a cell of each kind costs to cross, as far as crossing it is known."""
        costs = dict(WALK)
        if self.knows("collect_stone"):
            costs["stone"] = 2
            if self.knows("place_stone") and self.held("stone"):
                costs["water"] = 5
        return costs

    def guard(self) -> bool:
        """Hit the zombies and skeletons beside the player; return whether there were any."""
        for blow in range(_BLOWS):
            near = [
                step
                for step in DIRECTIONS.values()
                if self.chart.kind(beside(self.position, step)) in ATTACKERS
            ]
            if not near:
                return blow > 0
            facing = self._crafter.game.facing
            self.take("do" if facing in near else _NAMES[near[0]])
        return True

    def turn(self, cell: Cell) -> bool:
        """Face an obstacle beside the player; return whether it is faced. It never steps into lava."""
        step = (cell[0] - self.position[0], cell[1] - self.position[1])
        if self.ahead != cell and step in _NAMES and self.chart.kind(cell) not in ("lava", *FREE):
            self.take(_NAMES[step])
        return self.ahead == cell

    def enter(self, cell: Cell) -> bool:
        """Move to a cell beside the player, digging or bridging when needed; return whether it got there."""
        for _ in range(_TRIES):
            step = (cell[0] - self.position[0], cell[1] - self.position[1])
            if step not in _NAMES:
                break
            self.guard()
            kind = self.chart.kind(cell)
            if kind in FREE or kind in CREATURES:
                self.take(_NAMES[step])
            elif kind not in self.costs() or not self.turn(cell):
                break
            else:
                self.take("do" if kind == "stone" else "place_stone")
        return self.position == cell

    def follow(self, way: list[Cell], stop: Callable[[], bool]) -> None:
        """Walk a way, and at its end face its last cell where that is an obstacle.

        Args:
            way: From `Chart`.
            stop: Asked after each cell; true ends the walk.
        """
        for cell in way:
            last = cell == way[-1]
            if last and self.chart.kind(cell) not in self.costs():
                self.guard()
                self.turn(cell)
                return
            if not self.enter(cell) or stop():
                return

    def go(self, cell: Cell, steps: int) -> bool:
        """Walk to a cell without digging, if it can be; return whether the player is there."""
        end = self.steps + steps
        while self.position != cell and self.steps < end:
            before = self.steps
            way = self.chart.way_to(self.position, [cell], WALK)
            way = way or self.chart.way_to(self.position, [cell], self.costs())
            self.follow(way, lambda: False)
            if self.steps == before:
                break
        return self.position == cell

    def seek(self, kind: str, near: str, steps: int) -> bool:
        """Walk until a cell of the kind is faced, exploring while none is known."""
        end = self.steps + steps
        moving = kind in CREATURES
        while self.steps < end:
            if kind not in ATTACKERS:
                self.guard()
            if self.chart.kind(self.ahead) == kind:
                return True
            before, known = self.steps, self.chart.how_many(kind)
            costs = self.costs()
            way = self.chart.way_to(self.position, self.chart.cells(kind), costs)
            if way and kind in costs and kind not in CREATURES and len(way) == 1:
                self.enter(way[0])
            elif way:
                self.approach(way, moving, kind, known)
            elif not self.explore_once(near, lambda: self.chart.how_many(kind) != known):  # noqa: B023
                return False
            if self.steps == before:
                self.wait()
        return self.chart.kind(self.ahead) == kind

    def approach(self, way: list[Cell], moving: bool, kind: str, known: int) -> None:
        """Walk toward a cell of a kind; one cell at a time toward what moves."""
        if moving and len(way) == 1:
            self.turn(way[0])
        elif moving:
            self.enter(way[0])
        else:
            self.follow(way, lambda: self.chart.how_many(kind) != known)

    def explore_once(self, near: str, stop: Callable[[], bool]) -> bool:
        """Walk to the nearest edge of what is known; return whether there was one to walk to."""
        way = self.chart.way_out(self.position, self.costs(), near)
        if not way:
            return False
        goal = way[-1]

        def seen() -> bool:
            sides = (beside(goal, step) for step in DIRECTIONS.values())
            return stop() or all(self.chart.kind(side) != "unknown" for side in sides)

        before = self.steps
        self.follow(way, seen)
        return self.steps > before

    def aim(self, cell: Cell, steps: int) -> bool:
        """Walk until a cell is faced, free or not; return whether it is.

        A free cell is faced by coming to its neighbour in a straight line.
        """
        end = self.steps + steps
        while self.ahead != cell and self.steps < end:
            before = self.steps
            if self.chart.kind(cell) in FREE:
                self._line_up(cell)
            else:
                way = self.chart.way_to(self.position, [cell], self.costs())
                if way and self.chart.kind(cell) in self.costs() and len(way) == 1:
                    self.turn(cell)
                else:
                    self.follow(way[:-1] if len(way) > 1 else way, lambda: False)
            if self.steps == before:
                break
        return self.ahead == cell

    def _line_up(self, cell: Cell) -> None:
        costs, starts = self.costs(), {}
        for step in DIRECTIONS.values():
            stand = beside(cell, (-step[0], -step[1]))
            start = beside(stand, (-step[0], -step[1]))
            if self.chart.kind(stand) in FREE and self.chart.kind(start) in costs:
                starts[start] = stand
        if self.position in starts:
            self.enter(starts[self.position])
            return
        way = self.chart.way_to(self.position, starts, WALK)
        self.follow(way or self.chart.way_to(self.position, starts, costs), lambda: False)
        if self.position in starts:
            self.enter(starts[self.position])

    def wait(self) -> None:
        """Let one step pass."""
        self.take("noop")


def beside(cell: Cell, step: Cell) -> Cell:
    """Return the cell one step away."""
    return cell[0] + step[0], cell[1] + step[1]
