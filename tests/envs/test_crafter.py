"""Crafter in words: the same history everywhere, exact snapshots, honest words, primitives that only see."""

import math
import random
import subprocess
import sys
from typing import Any

import pytest

from lichen.envs import EpisodeOver, MissingExtra, Transition, UnknownName, UsageError, make
from lichen.envs.crafter import Crafter, crafter_score
from lichen.envs.crafter.chart import WALK, Chart
from lichen.envs.crafter.oracle import oracle
from lichen.envs.crafter.primitives import Controls
from lichen.envs.crafter.shelter import find_room
from lichen.envs.crafter.words import ACHIEVEMENTS, ACTIONS, KINDS

TASK = "crafter/open/dev/0"


@pytest.fixture
def crafter() -> Crafter:
    environment = make("crafter")
    assert isinstance(environment, Crafter)
    return environment


def _chart(rows: list[str]) -> Chart:
    """Return a chart drawn with the first letters of kinds; a blank is unknown."""
    import numpy as np

    letters = {" ": "unknown", "g": "grass", "s": "stone", "w": "water", "l": "lava", "t": "tree"}
    chart = Chart((len(rows[0]), len(rows)))
    codes = [[KINDS.index(letters[row[x]]) for row in rows] for x in range(len(rows[0]))]
    chart.note(0, 0, np.array(codes, np.uint8))
    return chart


def test_one_seed_has_one_history_in_every_process_and_under_every_hash_seed() -> None:
    code = (
        "import hashlib, random\nfrom lichen.envs import make\n"
        "from lichen.envs.crafter.oracle import oracle\n"
        "h = hashlib.sha256()\n"
        "def note(action, done): h.update(repr((action, done)).encode())\n"
        f"e = make('crafter'); e.watcher = note; e.reset('{TASK}'); oracle(e)\n"
        "e.reset('crafter/open/dev/0'); r = random.Random(3)\n"
        "for _ in range(300):\n"
        "    if e.step(r.choice(e.seen().admissible)).terminated: break\n"
        "h.update(repr(sorted(e.facts().items())).encode()); print(h.hexdigest())"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        )
        for seed in ("0", "1", "4711")
    ]
    assert len({done.stdout for done in outputs}) == 1
    assert {done.stderr for done in outputs} == {""}


def test_after_restore_everything_goes_on_as_it_did(crafter: Crafter) -> None:
    crafter.reset(TASK)
    rng = random.Random(1)
    for _ in range(120):
        crafter.step(rng.choice(ACTIONS))
    state, last = crafter.snapshot(), crafter.seen()
    facts, drawn = crafter.facts(), crafter.chart.dump()

    def onward() -> list[Transition]:
        rng = random.Random(2)
        return [crafter.step(rng.choice(ACTIONS)) for _ in range(60)]

    there = onward()
    drawn_there = crafter.chart.dump()
    assert crafter.restore(state) == crafter.seen() == last
    assert (crafter.facts(), crafter.chart.dump()) == (facts, drawn)
    assert (onward(), crafter.chart.dump()) == (there, drawn_there)
    other = make("crafter")
    other.restore(state)
    assert other.facts() == facts
    with pytest.raises(UsageError, match="its own snapshot"):
        other.restore(b"something")


def test_every_fold_has_worlds_of_its_own_and_families_share_them(crafter: Crafter) -> None:
    assert len(crafter.families()) == 23
    assert len(crafter.tasks("test", ["eat_plant"])) == 20
    looks = {s: crafter.reset(f"crafter/open/{s}/1").look for s in ("train", "dev", "test")}
    assert len(set(looks.values())) == 3
    assert crafter.reset("crafter/eat_plant/dev/1").look == looks["dev"]
    assert crafter.seen().goal == "Eat a plant."
    for bad in ("crafter/open/dev/1000", "crafter/fly/dev/0", "crafter/open/holdout/0"):
        with pytest.raises(UnknownName):
            crafter.task(bad)


def test_the_words_say_what_happened_and_what_did_not(crafter: Crafter) -> None:
    crafter.reset("crafter/collect_wood/dev/0")
    said = crafter.step("make_wood_pickaxe").observation.text
    assert said.startswith("Nothing happened. You see: ")
    assert crafter.step("place_table").observation.text.startswith("Nothing happened.")
    unknown = crafter.step("make_bread")
    assert unknown.observation.text.startswith("There is no action 'make_bread'")
    assert unknown.error
    assert crafter.step("noop").observation.text.startswith("You wait.")
    assert crafter.api()["goto"]("tree")
    assert crafter.facts()["facing"] == "tree"
    assert crafter.facts()["near.tree"] is True
    assert "You face tree to the " in crafter.seen().look
    done = crafter.step("do")
    assert done.observation.text.startswith(
        "You got 1 wood. You unlocked an achievement: collect wood."
    )
    assert (done.terminated, done.reward, done.observation.won) == (True, 1.0, True)
    facts = crafter.facts()
    assert facts["inventory.wood"] == facts["unlocked"] == 1
    assert facts["unlocked.collect_wood"] is True
    assert facts["inventory.iron_sword"] == 0
    assert done.observation.inventory.endswith("You carry: 1 wood.")
    assert done.observation.admissible == tuple(sorted(ACTIONS))


def test_every_primitive_takes_counted_steps_and_ends_with_the_episode(crafter: Crafter) -> None:
    crafter.reset("crafter/collect_drink/dev/2")
    seen: list[str] = []
    crafter.watcher = lambda action, _: seen.append(action)
    api = crafter.api()
    assert api["goto"]("water")
    assert len(seen) == crafter.seen().steps > 0
    with pytest.raises(EpisodeOver):
        api["drink"]()
    assert crafter.seen().won
    assert len(seen) == crafter.seen().steps
    crafter.max_steps = 5
    crafter.reset(TASK)
    with pytest.raises(EpisodeOver):
        api["explore"](50)
    assert crafter.seen().steps == 5
    crafter.reset(TASK)
    for method, name in (("goto", "unicorn"), ("count", "bread")):
        with pytest.raises(UnknownName):
            api[method](name)
    with pytest.raises(UsageError, match="from 1 to 2000"):
        api["explore"](0)


def test_the_primitives_hold_no_recipe_and_what_they_know_was_seen(crafter: Crafter) -> None:
    methods = Controls(crafter).methods()
    assert not [name for name in methods if "make" in name or "collect" in name or "craft" in name]
    assert all((method.__doc__ or "").strip() for method in methods.values())
    crafter.reset(TASK)
    world: Any = crafter.game._env._world
    width, height = crafter.game.area
    known = sum(
        crafter.chart.kind((x, y)) != "unknown" for x in range(width) for y in range(height)
    )
    assert known == 9 * 7
    world[0, 0] = "diamond"
    assert not crafter.api()["knows"]("diamond")
    assert crafter.chart.kind((0, 0)) == "unknown"
    cow = next(thing for thing in world.objects if type(thing).__name__ == "Cow")
    assert crafter.chart.kind((int(cow.pos[0]), int(cow.pos[1]))) in ("unknown", "cow")
    with pytest.raises(UnknownName):
        crafter.api()["goto"]("unknown")


def test_goto_faces_every_kind_it_reaches_and_never_walks_into_lava(crafter: Crafter) -> None:
    faced = 0
    for number in range(4):
        crafter.reset(f"crafter/open/train/{number}")
        api = crafter.api()
        try:
            for kind in ("tree", "water", "cow", "grass", "sand", "lava"):
                if api["goto"](kind, "", 150):
                    assert crafter.facts()["facing"] == kind
                    faced += 1
        except EpisodeOver:
            assert crafter.facts()["dead"]
        east, south = crafter.game.position
        assert crafter.game._env._world[east, south][0] != "lava"
    assert faced >= 12


def test_ways_avoid_what_is_unknown_and_lava_and_dig_only_where_told() -> None:
    chart = _chart(["gggsg", "glgsg", "gg sg", "ggggg"])
    assert chart.way_to((0, 0), [(2, 1)], WALK) == [(1, 0), (2, 0), (2, 1)]
    around = chart.way_to((0, 0), [(4, 0)], WALK)
    assert (len(around), around[-1], (3, 3) in around) == (10, (4, 0), True)
    assert chart.way_to((0, 0), [(4, 0)], {**WALK, "stone": 2})[2] == (3, 0)
    assert chart.way_to((0, 0), [(1, 1)], WALK)[-1] == (1, 1)  # beside it, to face it
    assert chart.way_to((0, 0), [(0, 0)], WALK) == []
    assert chart.way_out((0, 0), WALK)[-1] in {(1, 2), (2, 1), (2, 3)}
    assert _chart(["gl", "ll"]).way_out((0, 0), WALK) == []


def test_a_room_in_the_rock_needs_one_stone_and_keeps_clear_of_lava() -> None:
    rock = ["sssss", "sssss", "sssss", "ggggg"]
    room = find_room(_chart(rock), (2, 3), stones=0, dig=True)
    assert room is not None
    assert (room.entrance, room.outer, room.inner, room.walls) == ((2, 3), (2, 2), (2, 1), ())
    assert find_room(_chart(rock), (2, 3), stones=0, dig=False) is None
    assert find_room(_chart(["lllll", "lslsl", "lslsl", "ggggg"]), (2, 3), 0, True) is None
    meadow = _chart(["ggggggg"] * 6)
    assert find_room(meadow, (3, 3), stones=2, dig=False) is None
    walled = find_room(meadow, (3, 3), stones=6, dig=False)
    assert walled is not None
    assert len(walled.walls) <= 5


def test_the_oracle_wins_the_early_achievements_and_reaches_more_than_the_probe(
    crafter: Crafter,
) -> None:
    reached = []
    for number in range(4):
        crafter.reset(f"crafter/open/dev/{number}")
        oracle(crafter)
        reached.append(sum(bool(crafter.facts()[f"unlocked.{a}"]) for a in ACHIEVEMENTS))
        assert crafter.facts()["unlocked"] == reached[-1]
        assert crafter.seen().score == reached[-1] / 22
    assert sum(reached) / len(reached) >= 15.5
    seen = crafter.reset("crafter/make_stone_pickaxe/test/0")
    steps: list[str] = []
    crafter.watcher = lambda action, _: steps.append(action)
    gold = crafter.gold()
    assert gold is not None
    assert not steps
    assert crafter.seen() == seen
    for action in gold:
        done = crafter.step(action)
    assert done.observation.won
    crafter.reset(TASK)
    assert crafter.gold() is None


def test_dying_loses_and_darkness_and_sleep_are_told(crafter: Crafter) -> None:
    crafter.reset(TASK)
    for _ in range(40):
        crafter.step("noop")
    assert crafter.step("sleep").observation.look.endswith("You are asleep.")
    assert crafter.facts()["asleep"] is True
    player: Any = crafter.game._env._player
    player.health = 1
    player.inventory.update(food=0, drink=0)
    done = crafter.step("noop")
    while not done.terminated:
        done = crafter.step("noop")
    assert "You died." in done.observation.text
    assert crafter.facts()["dead"] is True
    assert not done.observation.won


def test_the_score_is_the_geometric_mean_of_the_success_rates() -> None:
    assert crafter_score({}) == 0.0
    assert math.isclose(crafter_score(dict.fromkeys(ACHIEVEMENTS, 0.5)), 50.0)
    one = crafter_score({"collect_wood": 1.0})
    assert math.isclose(one, 101 ** (1 / 22) - 1)
    rare = {**dict.fromkeys(ACHIEVEMENTS[1:], 0.5), ACHIEVEMENTS[0]: 0.01}
    assert crafter_score(rare) < 50 * 21 / 22
    with pytest.raises(UnknownName, match="did you mean 'collect_wood'"):
        crafter_score({"collect_woods": 1.0})


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "crafter", None)
    with pytest.raises(MissingExtra) as caught:
        make("crafter")
    assert "pip install 'lichen[crafter]'" in caught.value.hint
    assert "gym" not in sys.modules
