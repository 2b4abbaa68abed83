"""TextWorldExpress: eight small text games with train, dev and test folds (Jansen & Cote 2022).

Task ids are `twx/GAME/SPLIT/N`: game N of the fold, N from 0 to 999 (`tasks` lists the first 100). No game of a
fold is one of another.
"""

from collections.abc import Sequence
from typing import Any

from .adapter import Adapter, Seen
from .errors import EnvironmentFault, UnknownName
from .jvm import jvm, require
from .types import SPLITS, Split, Task, world_number

GAMES = (
    "arithmetic",
    "coin",
    "cookingworld",
    "mapreader",
    "peckingorder",
    "simonsays",
    "sorting",
    "twc",
)
LISTED = 100
MOST = 1000
_WALKS = {"coin": "CoinGoldAgent", "twc": "TWCGoldAgent"}
"""Games whose gold agent walks at random, and the agent: the engine seeds it by the clock."""
_TRIES = 50
_LONG = 1 << 40
"""Makes a seed a `long` of Java, whatever is added."""


class TextWorldExpress(Adapter):
    """The adapter over the package `textworld-express`; its JVM is shared by the process."""

    name = "twx"
    max_steps = 50

    def __init__(self) -> None:
        super().__init__()
        require("TextWorldExpress", "twx", "textworld-express")
        self._claim = 0

    def families(self) -> tuple[str, ...]:
        """Return the eight games."""
        return GAMES

    def tasks(self, split: Split, families: Sequence[str] | None = None) -> tuple[Task, ...]:
        """Return the first 100 games of the fold, of every family asked for."""
        if split not in SPLITS:
            raise UnknownName("split", split, SPLITS)
        return tuple(
            self._make(game, split, number)
            for game in self._chosen(families)
            for number in range(LISTED)
        )

    def task(self, task_id: str) -> Task:
        """Return the task with this id."""
        match task_id.split("/"):
            case ["twx", game, ("train" | "dev" | "test") as split, number] if (
                game in GAMES and number.isdecimal() and int(number) < MOST
            ):
                return self._make(game, split, int(number))
        raise UnknownName("task", task_id, [f"twx/{g}/test/0" for g in GAMES])

    @staticmethod
    def _make(game: str, split: Split, number: int) -> Task:
        return Task(id=f"twx/{game}/{split}/{number}", env="twx", family=game, split=split)

    def _start(self, task: Task, seed: int) -> Seen:
        return self._begin(task, gold=False)

    def _begin(self, task: Task, *, gold: bool) -> Seen:
        number = int(task.id.rsplit("/", 1)[1])
        game = self._open()
        self._claim = jvm.claim()
        with jvm.guard(f"starting {task.id}"):
            if jvm.loaded != task.family:
                game.load(gameName=task.family, gameParams="")
                jvm.loaded = task.family
            # the game's own folds differ in things only: of one seed they have the same map and goal
            world = world_number(task.split, number)
            text, info = game.reset(seed=world, gameFold=task.split, generateGoldPath=gold)
        return self._seen(text, info)

    def _act(self, action: str) -> Seen:
        doing = f"taking a step in {self._current.id}"
        game = jvm.claimed(self._claim, doing)
        with jvm.guard(doing):
            text, _, _, info = game.step(action)
            game.clearRunHistory()  # it would grow by one whole observation a step
            game.addStepToHistory(info)
        return self._seen(text, info)

    @staticmethod
    def _seen(text: str, info: dict[str, Any]) -> Seen:
        return Seen(
            text=text,
            goal=info["taskDescription"],
            admissible=tuple(info["validActions"]),
            score=float(info["score"]),
            won=bool(info["tasksuccess"]),
            lost=bool(info["taskfailure"]) or float(info["score"]) < 0,
            inventory=info["inventory"],
            look=info["look"],
        )

    def gold(self) -> tuple[str, ...] | None:
        """Return a winning action sequence; the task is freshly reset afterwards."""
        task = self._current
        walks = _WALKS.get(task.family)
        self._begin(task, gold=walks is None)
        doing = f"asking for the gold path of {task.id}"
        game = jvm.claimed(self._claim, doing)
        with jvm.guard(doing):
            if walks is None:
                found = tuple(str(action) for action in game.getGoldActionSequence())
            else:
                found = self._walked(game, task, walks)
        self.reset(task.id)
        return found

    def _walked(self, game: Any, task: Task, kind: str) -> tuple[str, ...]:
        """Return what a gold agent does that walks at random, with a generator of the task's own."""
        java = game._gateway.jvm
        world = world_number(task.split, int(task.id.rsplit("/", 1)[1]))
        for attempt in range(_TRIES):
            self._begin(task, gold=False)
            agent = getattr(java.textworldexpress.goldagent, kind)(game.server.game())
            seed = _LONG + world * _TRIES + attempt
            done = agent.mkGoldPath(java.scala.util.Random(seed))
            if done._1:
                return tuple(str(action) for action in done._2)[1:]  # the first is the reset's own
        raise EnvironmentFault(f"{task.id}: the gold agent lost its way {_TRIES} times")

    def close(self) -> None:
        """End the JVM."""
        jvm.close()

    @staticmethod
    def _open() -> Any:
        import textworld_express.textworld_express as module

        return jvm.open(
            "TextWorldExpress", module, lambda: module.TextWorldExpressEnv(envStepLimit=10**9)
        )
