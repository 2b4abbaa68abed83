"""The adapter: ALFWorld's 3,553 / 140 / 134 games (Shridhar et al. 2021) as tasks.

Task ids are `alfworld/SPLIT/TASK/TRIAL`; dev is valid_seen, test is valid_unseen. Families are the six
task types.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..adapter import Adapter, Seen
from ..errors import BadFile, UnknownName, UsageError
from ..types import SPLITS, Observation, Split, Task
from .game_files import GameFile, Games, MiniGames, find_games
from .problem import BadProblem, parse
from .world import Changing, Household

FAMILIES = (
    "look_at_obj_in_light",
    "pick_and_place_simple",
    "pick_clean_then_place_in_recep",
    "pick_cool_then_place_in_recep",
    "pick_heat_then_place_in_recep",
    "pick_two_obj_and_place",
)


@dataclass(frozen=True)
class AlfworldSnapshot:
    """A moment of a game."""

    task: str
    changing: Changing
    last: Observation
    over: bool


class AlfWorld(Adapter):
    """ALFWorld's official games, from the folder that $ALFWORLD_DATA names.

    Raises:
        MissingData: The games are not here; the message says how to get them.
    """

    name = "alfworld"
    max_steps = 50

    def __init__(self) -> None:
        super().__init__()
        self._games = self._find()
        self._game: GameFile | None = None
        self._world: Household | None = None
        self._commands: dict[str, Callable[[], str]] = {}

    def _find(self) -> Games:
        return find_games()

    def families(self) -> tuple[str, ...]:
        """Return the six task types."""
        return FAMILIES

    def tasks(self, split: Split, families: Sequence[str] | None = None) -> tuple[Task, ...]:
        """Return the games of the split, sorted by id."""
        if split not in SPLITS:
            raise UnknownName("split", split, SPLITS)
        chosen = set(self._chosen(families))
        made = (self._make(split, name) for name in self._games.ids(split))
        return tuple(task for task in made if task.family in chosen)

    def task(self, task_id: str) -> Task:
        """Return the task with this id."""
        env, _, rest = task_id.partition("/")
        split, _, name = rest.partition("/")
        for known in SPLITS:
            if env == self.name and split == known and name in self._games.ids(known):
                return self._make(known, name)
        raise UnknownName(
            "task", task_id, [self._make("test", n).id for n in self._games.ids("test")]
        )

    def _make(self, split: Split, name: str) -> Task:
        return Task(
            id=f"{self.name}/{split}/{name}",
            env=self.name,
            family=name.split("-", 1)[0],
            split=split,
        )

    def _start(self, task: Task, seed: int) -> Seen:
        name = task.id.split("/", 2)[2]
        self._game = self._games.read(task.split, name)
        try:
            self._world = Household(parse(self._game.problem))
        except (BadProblem, KeyError) as error:
            raise BadFile(f"the game of {task.id} is damaged: {error}") from error
        return self._seen(self._world.opening(self._game.task))

    def _act(self, action: str) -> Seen:
        command = self._commands.get(" ".join(action.lower().split()))
        return self._seen("Nothing happens." if command is None else command())

    def _seen(self, text: str) -> Seen:
        world = self._now
        self._commands = world.commands()
        assert self._game is not None
        won = world.won
        return Seen(
            text=text,
            goal=self._game.task,
            admissible=tuple(self._commands),
            score=float(won),
            won=won,
            inventory=world.carried() if world.now.held else "",
            look=world.look(),
        )

    @property
    def _now(self) -> Household:
        if self._world is None:
            raise UsageError(f"{self.name}: reset was not called")
        return self._world

    def gold(self) -> tuple[str, ...] | None:
        """Return the official walkthrough."""
        task = self._current
        assert self._game is not None
        found = self._game.walkthrough
        self.reset(task.id)
        return found or None

    def snapshot(self) -> object:
        """Return the present moment."""
        task = self._current
        assert self._last is not None
        return AlfworldSnapshot(task.id, self._now.now.copy(), self._last, self._over)

    def restore(self, state: object) -> Observation:
        """Go back to a moment of the same game."""
        if not isinstance(state, AlfworldSnapshot) or state.task != self._current.id:
            raise UsageError("the snapshot is not of the game that was last reset")
        self._now.now = state.changing.copy()
        self._commands = self._now.commands()
        self._last, self._over = state.last, state.over
        return state.last

    def api(self) -> dict[str, Callable[..., Any]]:
        """Return `act` and `admissible`."""
        return {
            "act": lambda action: self.step(action).observation.text,
            "admissible": lambda: tuple(sorted(self._commands)),
        }


class AlfWorldMini(AlfWorld):
    """A handful of small games of our own in the same form; they need no download."""

    name = "alfworld-mini"

    def _find(self) -> Games:
        return MiniGames()
