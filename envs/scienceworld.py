"""ScienceWorld: thirty elementary science tasks with official variation splits (Wang et al. 2022).

Task ids are `scienceworld/TASK/VARIATION`; a variation belongs to one official split. The score is dense;
a negative raw score means that the task is lost.

Upstream is not deterministic: the same task lists equal things in another order, and names an ambiguous
object by another of its names in the valid actions, at every reset.
"""

import json
from collections.abc import Sequence
from typing import Any

from .adapter import Adapter, Seen
from .errors import MissingExtra, UnknownName
from .jvm import jvm
from .types import SPLITS, Split, Task

EASY = "easy"


class ScienceWorld(Adapter):
    """The adapter over the package `scienceworld`; its JVM is shared by the process.

    Args:
        simplification: `easy` (teleport, open doors, self-watering flower pots, no electrical... as upstream
            defines it), an empty string for the original game, or upstream's own comma-separated names.

    Raises:
        MissingExtra: scienceworld is not installed.
        UnknownName: There is no such simplification.
    """

    name = "scienceworld"
    deterministic = False
    max_steps = 100

    def __init__(self, simplification: str = EASY) -> None:
        super().__init__()
        try:
            from scienceworld.constants import ID2TASK
        except ImportError as error:
            raise MissingExtra("ScienceWorld", "scienceworld", "scienceworld") from error
        self._families = tuple(sorted(ID2TASK.values()))
        self._splits: dict[str, dict[int, Split]] = {}
        self.simplification = simplification
        known = {
            EASY,
            "teleportAction",
            "openDoors",
            "selfWateringFlowerPots",
            "noElectricalAction",
        }
        for part in filter(None, simplification.split(",")):
            if part not in known:
                raise UnknownName("simplification of ScienceWorld", part, known)

    def families(self) -> tuple[str, ...]:
        """Return the thirty tasks, sorted."""
        return self._families

    def tasks(self, split: Split, families: Sequence[str] | None = None) -> tuple[Task, ...]:
        """Return the variations of a split, in their own order, family after family."""
        if split not in SPLITS:
            raise UnknownName("split", split, SPLITS)
        return tuple(
            self._make(family, number, split)
            for family in self._chosen(families)
            for number, held in self._variations(family).items()
            if held == split
        )

    def task(self, task_id: str) -> Task:
        """Return the task with this id."""
        match task_id.split("/"):
            case ["scienceworld", family, number] if (
                family in self._families and number.isdecimal()
            ):
                if (split := self._variations(family).get(int(number))) is not None:
                    return self._make(family, int(number), split)
        raise UnknownName("task", task_id, [f"scienceworld/{f}/0" for f in self._families])

    @staticmethod
    def _make(family: str, number: int, split: Split) -> Task:
        return Task(
            id=f"scienceworld/{family}/{number}", env="scienceworld", family=family, split=split
        )

    def _variations(self, family: str) -> dict[int, Split]:
        if family not in self._splits:
            world = self._open()
            with jvm.guard(f"reading the splits of {family}"):
                world.load(family, 0, "")
                jvm.loaded = ""
                lists: tuple[tuple[Split, list[int]], ...] = (
                    ("train", world.get_variations_train()),
                    ("dev", world.get_variations_dev()),
                    ("test", world.get_variations_test()),
                )
            found = {int(number): split for split, numbers in lists for number in numbers}
            self._splits[family] = dict(sorted(found.items()))
        return self._splits[family]

    def _start(self, task: Task, seed: int) -> Seen:
        return self._begin(task, gold=False)

    def _begin(self, task: Task, *, gold: bool) -> Seen:
        simplification = self.simplification
        _, family, number = task.id.split("/")
        world = self._open()
        with jvm.guard(f"starting {task.id}"):
            world.load(family, int(number), simplification, generateGoldPath=gold)
            world.server.reset()
            self._goal = str(world.get_task_description())
            return self._seen(str(world.server.step("look around")))

    def _act(self, action: str) -> Seen:
        world = self._open()
        with jvm.guard(f"taking a step in {self._current.id}"):
            return self._seen(str(world.server.step(action)))

    def _seen(self, text: str) -> Seen:
        world = self._open()
        score = float(world.server.getScore())
        offered = json.loads(world.server.getValidActionObjectCombinationsJSON())["validActions"]
        return Seen(
            text=text,
            goal=self._goal,
            admissible=tuple({x["action"] for x in offered if not x["action"].startswith("reset")}),
            score=score,
            won=score >= 1.0,
            lost=score < 0 or bool(world.server.getCompleted()),
            inventory=str(world.inventory()),
            look=str(world.look()),
        )

    def gold(self) -> tuple[str, ...] | None:
        """Return a winning action sequence; the task is freshly reset afterwards."""
        task = self._current
        self._begin(task, gold=True)
        with jvm.guard(f"asking for the gold path of {task.id}"):
            found = tuple(str(action) for action in self._open().get_gold_action_sequence())
        self.reset(task.id)
        return found

    def close(self) -> None:
        """End the JVM."""
        jvm.close()

    @staticmethod
    def _open() -> Any:
        import scienceworld.scienceworld as module

        return jvm.open(
            "ScienceWorld", module, lambda: module.ScienceWorldEnv("", envStepLimit=10**9)
        )
