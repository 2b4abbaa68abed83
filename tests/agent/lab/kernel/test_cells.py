"""Arms at tasks: every cell once, only those without a row, each arm by its name."""

import pytest

from lichen.agent.lab.kernel.cells import left, named, play_all, task_by_task
from lichen.envs import UnknownName


def test_cells_that_have_a_row_are_left_out_and_numbers_stay() -> None:
    done = {("a", "x"), ("b", "y")}
    cells = task_by_task(["x", "y"], ["a", "b"])
    found = left(cells, done, lambda arm, task: (arm, task))
    first = next(found)
    assert (first.number, first.of, first.arm, first.task) == (2, 4, "b", "x")
    done.add(("a", "y"))  # what is done meanwhile is not done again
    assert list(found) == []


def test_every_arm_plays_every_task_and_rows_are_paired() -> None:
    told = []
    rows = play_all(
        {"on": 2, "off": 0},
        [1, 10],
        lambda arm, task: arm * task,
        lambda arm, rows: told.append((arm, *rows)),
    )
    assert rows == {"on": [2, 20], "off": [0, 0]}
    assert told == [("on", 2, 20), ("off", 0, 0)]


def test_an_unknown_arm_is_named_with_those_that_there_are() -> None:
    with pytest.raises(UnknownName, match="did you mean 'knn'"):
        named("arm", ["kmn"], {"knn": 1}, also=["lora"])
