"""ScienceWorld: thirty elementary science tasks with official variation splits (Wang et al. 2022).

Task ids are `scienceworld/TASK/VARIATION`; a variation belongs to one official split. The score is dense;
a negative raw score means that the task is lost.

Upstream is not deterministic: the same task lists equal things in another order, and names an ambiguous
object by another of its names in the valid actions, at every reset.
"""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from .adapter import Adapter, Seen
from .errors import UnknownName
from .jvm import jvm, require
from .types import SPLITS, Split, Task

EASY = "easy"


_UNKNOWN = "No known action matches that input"
"""How the back end refuses a text."""


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
        require("ScienceWorld", "scienceworld", "scienceworld")
        from scienceworld.constants import ID2TASK

        self._families = tuple(sorted(ID2TASK.values()))
        self._claim = 0
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
            for number, held in _splits()[family].items()
            if held == split
        )

    def task(self, task_id: str) -> Task:
        """Return the task with this id."""
        match task_id.split("/"):
            case ["scienceworld", family, number] if (
                family in self._families and number.isdecimal()
            ):
                if (split := _splits()[family].get(int(number))) is not None:
                    return self._make(family, int(number), split)
        raise UnknownName("task", task_id, [f"scienceworld/{f}/0" for f in self._families])

    @staticmethod
    def _make(family: str, number: int, split: Split) -> Task:
        return Task(
            id=f"scienceworld/{family}/{number}", env="scienceworld", family=family, split=split
        )

    def _start(self, task: Task, seed: int) -> Seen:
        return self._begin(task, gold=False)

    def _begin(self, task: Task, *, gold: bool) -> Seen:
        simplification = self.simplification
        _, family, number = task.id.split("/")
        world = _open()
        self._claim = jvm.claim()
        with jvm.guard(f"starting {task.id}"):
            world.load(family, int(number), simplification, generateGoldPath=gold)
            world.server.reset()
            self._goal = str(world.get_task_description())
            return self._seen(world, str(world.server.step("look around")))

    def _act(self, action: str) -> Seen:
        doing = f"taking a step in {self._current.id}"
        world = jvm.claimed(self._claim, doing)
        with jvm.guard(doing):
            return self._seen(world, str(world.server.step(action)))

    def _seen(self, world: Any, text: str) -> Seen:
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
            error=text if text.startswith(_UNKNOWN) else "",
            reworded=True,  # the list has one wording of each action, and no action without an effect
        )

    def gold(self) -> tuple[str, ...] | None:
        """Return a winning action sequence; the task is freshly reset afterwards."""
        task = self._current
        self._begin(task, gold=True)
        doing = f"asking for the gold path of {task.id}"
        world = jvm.claimed(self._claim, doing)
        with jvm.guard(doing):
            found = tuple(str(action) for action in world.get_gold_action_sequence())
        self.reset(task.id)
        return found

    def close(self) -> None:
        """End the JVM."""
        jvm.close()


@cache
def _splits() -> dict[str, dict[int, Split]]:
    """Return family -> variation -> split, for all thirty tasks at once, and once a process (2 s).

    Upstream tells a task's splits only when the task is loaded, which ends the episode in the JVM; so this is
    never left for the middle of one.
    """
    world = _open()
    jvm.claim()
    found: dict[str, dict[int, Split]] = {}
    with jvm.guard("reading the splits"):
        for family in map(str, world.get_task_names()):
            world.load(family, 0, "")
            lists: tuple[tuple[Split, list[int]], ...] = (
                ("train", world.get_variations_train()),
                ("dev", world.get_variations_dev()),
                ("test", world.get_variations_test()),
            )
            numbers = {int(number): split for split, held in lists for number in held}
            found[family] = dict(sorted(numbers.items()))
    return found


def _open() -> Any:
    import scienceworld.scienceworld as module

    return jvm.open("ScienceWorld", module, lambda: module.ScienceWorldEnv("", envStepLimit=10**9))
