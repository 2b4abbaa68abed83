"""What is trained on is not tested on: draws, worlds and the check that says so."""

from pathlib import Path
from typing import Any

import pytest

from lichen.envs import Adapter, Seen, Suite, Task, UnknownName, check, world_number
from lichen.envs.registry import located
from lichen.envs.two_processes import checked
from lichen.envs.types import SPLITS, Split


class Rooms(Adapter):
    """A room of a number is the same in every process; careless: the same in every fold."""

    name = "rooms"

    def __init__(self, careless: bool = False, shuffled: bool = False) -> None:
        super().__init__()
        self._careless, self._shuffled = careless, shuffled

    def families(self) -> tuple[str, ...]:
        return ("rooms",)

    def tasks(self, split: Split, families: Any = None) -> tuple[Task, ...]:
        self._chosen(families)
        return tuple(self.task(f"rooms/{split}/{n}") for n in range(30))

    def task(self, task_id: str) -> Task:
        name, split, number = (*task_id.split("/"), "", "")[:3]
        if name != "rooms" or split not in SPLITS or not number.isdigit():
            raise UnknownName("task", task_id, ["rooms/train/0"])
        return Task(id=task_id, env="rooms", family="rooms", split=split)

    def _start(self, task: Task, seed: int) -> Seen:
        _, split, number = task.id.split("/")
        self._number = int(number) if self._careless else world_number(split, int(number))  # type: ignore[arg-type]
        return self._seen(won=False)

    def _act(self, action: str) -> Seen:
        return self._seen(won=action == "open door")

    def _seen(self, won: bool) -> Seen:
        things = {"lamp", "coin", "map", "key", "cup", "book"}
        text = " ".join(things) if self._shuffled else "A room."
        return Seen(
            text=f"Room {self._number}. {text}",
            goal=f"Leave room {self._number}.",
            admissible=("open door", "wait"),
            score=float(won),
            won=won,
        )


class Halls(Rooms):
    """Two families: of rooms and, from number 20, of halls; the halls are the same in every fold."""

    def families(self) -> tuple[str, ...]:
        return ("halls", "rooms")

    def tasks(self, split: Split, families: Any = None) -> tuple[Task, ...]:
        chosen = self._chosen(families)
        return tuple(task for task in super().tasks(split) if task.family in chosen)

    def task(self, task_id: str) -> Task:
        task = super().task(task_id)
        family = "halls" if int(task_id.rsplit("/", 1)[1]) >= 20 else "rooms"
        return task.model_copy(update={"family": family})

    def _start(self, task: Task, seed: int) -> Seen:
        self._careless = task.family == "halls"
        return super()._start(task, seed)


def test_training_tasks_are_drawn_apart_from_held_out_ones() -> None:
    suite = Suite(name="rooms", env="rooms")
    drawn = {
        split: [i.rsplit("/", 1)[1] for i in suite.task_ids(split, 20, 0, Rooms())]
        for split in SPLITS
    }
    assert drawn["train"] != drawn["test"] and drawn["train"][:3] != drawn["test"][:3]


def test_the_worlds_of_folds_are_disjoint_by_construction() -> None:
    worlds = [{world_number(split, n) for n in range(200)} for split in SPLITS]
    assert sum(map(len, worlds)) == len(set().union(*worlds)) == 600


def test_the_check_finds_folds_that_share_their_worlds() -> None:
    tasks = list(Rooms().tasks("train")[:2])
    assert check(Rooms(), tasks) == []
    assert any("world_number" in said for said in check(Rooms(careless=True), tasks))


def test_the_check_compares_the_folds_of_the_families_of_its_tasks() -> None:
    rooms, halls = (list(Halls().tasks("train", [family])[:1]) for family in ("rooms", "halls"))
    assert check(Halls(), rooms) == []
    for tasks in (halls, [*rooms, *halls]):
        assert [said.split(":")[0] for said in check(Halls(), tasks)] == ["halls"]


def test_the_check_compares_two_processes_with_different_hash_seeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rooms_of_a_stranger.py").write_text(Path(__file__).read_text("utf-8"), "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    path = "rooms_of_a_stranger:Rooms"
    good = checked(path, {}, 2)
    assert good.holds and good.steps > 0 and good.most_ms >= good.median_ms > 0
    whole = checked("rooms_of_a_stranger:Halls", {}, 1)
    assert [said.split(":")[0] for said in whole.problems] == ["halls"]  # of all families
    bad = checked(path, {"shuffled": True}, 2)
    assert any("another process" in said for said in bad.problems)


def test_a_task_id_may_name_a_class_by_its_path() -> None:
    path = "lichen.envs.textcraft:TextCraft"
    assert located(f"{path}/depth1/train/3") == (path, "textcraft/depth1/train/3")
    with pytest.raises(UnknownName):
        located("no.such.module:Rooms/train/3")
