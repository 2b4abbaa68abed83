"""Recipes: what a thing was made of, in TextCraft's kitchen, as a skill for other things."""

import pytest

from lichen.envs import make
from lichen.envs.types import Fact
from lichen.skills.induction.recipe import recipe
from lichen.skills.induction.traces import ACT, Move
from lichen.skills.jail import open_jail
from lichen.skills.lint import check
from lichen.skills.skill_runner import Runner
from lichen.skills.types import Skill

WORLD = "textcraft/open/train/0"


def learned(*actions: str) -> Skill | None:
    """Return the recipe of the last action, after the others in a new world."""
    kitchen = make("textcraft")
    kitchen.max_steps = 100
    kitchen.reset(WORLD)
    facts: list[dict[str, Fact]] = [dict(kitchen.facts())]
    for action in actions:
        kitchen.step(action)
        facts.append(dict(kitchen.facts()))
    moves = [Move(method=ACT, values=(action,)) for action in actions]
    return recipe(moves, facts, "textcraft", WORLD)


CHANCE = ("get 9 diamond", "combine 2 bamboo", "get 9 oak log", "combine 1 diamond")


def test_a_recipe_makes_other_things_and_brings_what_is_lacking() -> None:
    skill = learned(*CHANCE, "get 9 blackstone", "get 9 bamboo", "combine 6 blackstone")
    assert skill is not None and check(skill) == []
    assert skill.name == "combine-n-item"
    assert "diamond" not in skill.code and "bamboo" not in skill.code
    kitchen = make("textcraft")
    with open_jail() as jail:
        runner = Runner({}, jail)
        kitchen.reset(WORLD)
        stairs = runner.call(skill, {}, kitchen)
        assert stairs.actions == ("get 9 blackstone", "combine 6 blackstone")
        assert stairs.outcome == "success" and kitchen.facts()["crafted.blackstone_stairs"]
        slab = runner.call(skill, {"item": "blackstone", "n": 3}, kitchen)
        assert slab.actions == ("combine 3 blackstone",)  # the other three were left
        assert kitchen.facts()["crafted.blackstone_slab"]
        assert runner.call(skill, {"item": "cobblestone", "n": 3}, kitchen).outcome == "success"
        lacking = runner.call(skill, {"item": "oak planks", "n": 3}, kitchen)
        assert lacking.outcome == "failure"
        assert lacking.ran is not None and lacking.ran.value is False


def test_what_was_made_before_is_made_again_and_two_things_are_two_parameters() -> None:
    skill = learned(
        "get 9 oak logs",
        "combine 1 oak logs",
        "get 9 diamond",
        "combine 1 oak logs",
        "combine 2 oak planks",
    )
    assert skill is not None
    assert skill.code.count("combine 1 oak logs") == 1  # one of the two was not needed
    assert "if item == 'oak planks' and _held(api, item) < n:" in skill.code
    two = learned(
        "get 9 poppy", "combine 1 poppy", "get 9 terracotta", "combine 8 terracotta, 1 red dye"
    )
    assert two is not None and two.name == "combine-n-item-n1-item1" and check(two) == []
    known = {name: p.default for name, p in two.contract.parameters.items()}
    assert known == {"item": "terracotta", "n": 8, "item1": "red dye", "n1": 1}


@pytest.mark.parametrize("actions", [("get 9 diamond",), ("combine 6 blackstone",), ("inventory",)])
def test_what_uses_nothing_up_is_no_recipe(actions: tuple[str, ...]) -> None:
    assert learned(*actions) is None
