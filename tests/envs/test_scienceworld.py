"""ScienceWorld: its official splits, and asking for tasks leaves the episode alone."""

from pathlib import Path

import pytest

from lichen.envs import (
    UnknownName,
    make,
)
from lichen.envs.jvm import jvm


def test_asking_scienceworld_for_tasks_leaves_the_episode_alone() -> None:
    environment = make("scienceworld")
    goal = environment.reset("scienceworld/melt/0").goal
    assert environment.tasks("dev", ["find-plant"])
    assert make("scienceworld").task("scienceworld/boil/0").split == "train"
    assert "melt" in goal
    assert environment.step("wait1").observation.goal == goal
    gold = environment.gold()
    for action in gold or ():
        done = environment.step(action)
        if done.terminated:
            break
    assert done.observation.won


def test_one_jvm_at_a_time_and_the_splits_of_scienceworld_are_the_official_ones() -> None:
    make("twx").reset("twx/coin/dev/0")
    first = jvm.pid
    environment = make("scienceworld")
    assert len(environment.families()) == 30
    counts = [len(environment.tasks(split, ["melt"])) for split in ("train", "dev", "test")]
    assert counts == [14, 7, 9]
    environment.reset("scienceworld/melt/0")
    assert jvm.pid != first
    assert first is not None and not Path(f"/proc/{first}").exists()
    with pytest.raises(UnknownName, match="no simplification"):
        make("scienceworld", simplification="easyy")
