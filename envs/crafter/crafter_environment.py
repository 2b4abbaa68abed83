"""The adapter over Crafter (Hafner 2021): tasks, observations, facts, and the way to its control primitives.

Task ids are `crafter/FAMILY/SPLIT/N`: one of the 22 achievements, or `open` for the whole tech tree, in world
N of the fold. The folds have worlds of their own: who learned in train has never seen those of test.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ..adapter import Adapter, Seen
from ..errors import UnknownName, UsageError
from ..types import SPLITS, Fact, Measure, Observation, Split, Task
from .chart import Chart
from .game import Game, require
from .primitives import Controls
from .upkeep import Upkeep
from .wording import carried, faced, glance, happened, in_sight, place
from .words import (
    ACHIEVEMENTS,
    ACTIONS,
    GOALS,
    ITEMS,
    KINDS,
    MOVES,
    OPEN,
    OPEN_GOAL,
    SOUGHT,
    VITALS,
)

LISTED = 20
MOST = 1000
FIRST_WORLD = {"train": 0, "dev": 1_000_000, "test": 2_000_000}
"""Seed of world 0 of each fold."""
_WALK = 25
"""Steps of one walk to something that is not known yet: then look after oneself, and go on."""
_WORKED_AT = ("table", "furnace")
"""What is near only when it can be worked at; other kinds are near when they are in sight."""


@dataclass(frozen=True)
class SavedGame:
    """A state that `Crafter.snapshot` took; for `restore` in the same process."""

    game: bytes
    chart: bytes
    task: Task
    last: Observation
    over: bool


class Crafter(Adapter):
    """Crafter in words.

    Every action is always accepted: what it requires is to be learned, so nothing is filtered out.

    Raises:
        MissingExtra: The package `crafter` is not installed.
    """

    name = "crafter"
    measure: ClassVar[Measure] = "score"
    max_steps = 10_000

    def __init__(self) -> None:
        super().__init__()
        require()
        self._played: Game | None = None
        self._seen_map = Chart((1, 1))
        self._controls = Controls(self)

    def families(self) -> tuple[str, ...]:
        """Return the achievements and `open`, sorted."""
        return tuple(sorted((*ACHIEVEMENTS, OPEN)))

    def tasks(self, split: Split, families: Sequence[str] | None = None) -> tuple[Task, ...]:
        """Return the first 20 worlds of the fold, for every family asked for."""
        if split not in SPLITS:
            raise UnknownName("split", split, SPLITS)
        return tuple(
            self._make(family, split, number)
            for family in self._chosen(families)
            for number in range(LISTED)
        )

    def task(self, task_id: str) -> Task:
        """Return the task with this id."""
        match task_id.split("/"):
            case ["crafter", family, ("train" | "dev" | "test") as split, number] if (
                family in self.families() and number.isdecimal() and int(number) < MOST
            ):
                return self._make(family, split, int(number))
        raise UnknownName("task", task_id, [f"crafter/{f}/test/0" for f in self.families()])

    @staticmethod
    def _make(family: str, split: Split, number: int) -> Task:
        task_id = f"crafter/{family}/{split}/{number}"
        return Task(id=task_id, env="crafter", family=family, split=split)

    @property
    def game(self) -> Game:
        """The world that is played.

        Raises:
            UsageError: `reset` was not called.
        """
        if self._played is None:
            raise UsageError(f"{self.name}: reset was not called")
        return self._played

    @property
    def chart(self) -> Chart:
        """What the player has seen of the world."""
        return self._seen_map

    def _start(self, task: Task, seed: int) -> Seen:
        number = int(task.id.rsplit("/", 1)[1])
        self._played = Game(FIRST_WORLD[task.split] + number)
        self._seen_map = Chart(self._played.area)
        return self._show("")

    def _act(self, action: str) -> Seen:
        before = glance(self.game)
        self.game.step(action if action in ACTIONS else "noop")
        if action in ACTIONS:
            return self._show(happened(action, before, self.game))
        return self._show(f"There is no action {action!r}; the actions are: {', '.join(ACTIONS)}.")

    def _show(self, said: str) -> Seen:
        game, family = self.game, self._current.family
        self._seen_map.note(*game.window())
        look, unlocked = place(game), game.unlocked
        won = family in unlocked if family != OPEN else len(unlocked) == len(ACHIEVEMENTS)
        return Seen(
            text=f"{said} {look}".strip(),
            goal=GOALS.get(family, OPEN_GOAL + "."),
            admissible=ACTIONS,
            score=float(won) if family != OPEN else len(unlocked) / len(ACHIEVEMENTS),
            won=won,
            lost=game.dead and not won,
            inventory=carried(game),
            look=look,
        )

    def facts(self) -> Mapping[str, Fact]:
        """Return what holds now, by name.

        `inventory.ITEM` (0 when there is none), `health`, `food`, `drink` and `energy` (0 to 9),
        `unlocked.ACHIEVEMENT`, `unlocked` (how many), `facing` (a kind), `near.KIND` (in sight; table and
        furnace: near enough to work at), `asleep`, `dark`, `dead`, `won`, `score`, `steps`.
        """
        game, sight = self.game, in_sight(self.game)
        held, unlocked = game.inventory, game.unlocked
        near = {f"near.{kind}": kind in sight for kind in KINDS[1:-1] if kind not in _WORKED_AT}
        return {
            **super().facts(),
            **{f"inventory.{item}": held[item] for item in ITEMS},
            **{vital: held[vital] for vital in VITALS},
            **{f"unlocked.{name}": name in unlocked for name in ACHIEVEMENTS},
            **near,
            **{f"near.{kind}": game.within_reach(kind) for kind in _WORKED_AT},
            "unlocked": len(unlocked),
            "facing": faced(game),
            "asleep": game.asleep,
            "dark": game.dark,
            "dead": game.dead,
        }

    def api(self) -> Mapping[str, Callable[..., Any]]:
        """Return the primitives of `Controls` besides those of every environment."""
        return {
            **super().api(),
            **self._controls.methods(),
            "keep_alive": Upkeep(self).keep_alive,
        }

    def calls(self) -> tuple[tuple[str, tuple[Fact, ...]], ...]:
        """Return the calls that are worth trying: going to things, acting on them, staying alive."""
        return (
            *(("goto", (kind, "", _WALK)) for kind in SOUGHT),
            *(("act", (action,)) for action in ACTIONS if action not in MOVES),
            *((method, ()) for method in ("drink", "eat", "rest", "guard", "face_free", "explore")),
        )

    def goals(self) -> Mapping[str, str]:
        """Return the achievements, each as the fact that it is unlocked."""
        return {f"unlocked.{name}": said for name, said in GOALS.items()}

    def take(self, action: str) -> None:
        """Take one action for a primitive, and end it when the episode has ended.

        Raises:
            EpisodeOver: The episode ended with this action.
        """
        self._act_for_skill(action)

    def gold(self) -> tuple[str, ...] | None:
        """Return the actions of the scripted oracle when they win within `max_steps`, else None.

        For `open` it is always None: no script unlocks all 22. The oracle plays in an environment of its
        own; the task is freshly reset afterwards.
        """
        from .oracle import oracle

        task, found = self._current, None
        if task.family != OPEN:
            played = Crafter()
            played.max_steps = self.max_steps
            played.reset(task.id)
            actions = oracle(played)
            found = actions if played.seen().won else None
        self.reset(task.id)
        return found

    def snapshot(self) -> SavedGame:
        """Return the whole state: world, chart, last observation."""
        return SavedGame(
            game=self.game.dump(),
            chart=self._seen_map.dump(),
            task=self._current,
            last=self.seen(),
            over=self._over,
        )

    def restore(self, state: object) -> Observation:
        """Go back to a state that `snapshot` returned.

        Raises:
            UsageError: It is no such state.
        """
        if not isinstance(state, SavedGame):
            raise UsageError(f"{self.name} restores what its own snapshot returned")
        if self._played is None:
            self.reset(state.task.id)
        self.game.load(state.game)
        self._seen_map = Chart(self.game.area)
        self._seen_map.load(state.chart)
        self._task, self._last, self._over = state.task, state.last, state.over
        return state.last
