"""What a move needed is told by what it used up and by where it failed, and other skills bring it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lichen.agent.practice.attempt import GoalAttempt
from lichen.agent.practice.explorer import Explorer
from lichen.agent.practice.needs import Needed, needs_of
from lichen.agent.practice.skill_learner import Learned, SkillLearner
from lichen.agent.practice.tried_actions import BROUGHT, KNOWN, NOTHING, TriedActions, where
from lichen.envs import make
from lichen.envs.types import Fact
from lichen.skills.admission import Admission
from lichen.skills.induction.traces import Move
from lichen.skills.jail import Jail, open_jail
from lichen.skills.library import Library
from lichen.skills.skill_runner import Runner
from lichen.skills.types import Contract, Skill

WORLDS = [f"crafter/open/train/{n}" for n in range(3)]


def skill(name: str, promise: str, code: str = "") -> Skill:
    contract = Contract(env="crafter", postconditions=(promise,))
    return Skill(name=name, description="-", code=code, contract=contract)


def bringing(name: str, fact: str, code: str = "") -> Skill:
    return skill(name, f"inventory.{fact} - before.inventory.{fact} >= 1", code)


TABLE = """def place_table(api):
    if api.facts().get('inventory.wood', 0) < 2:
        api.skill('collect-wood@1', count=2)
    api.act('place_table')
"""
SKILLS = {
    s.name: s
    for s in (
        bringing("collect-wood", "wood"),
        bringing("collect-stone", "stone"),
        bringing("make-wood-pickaxe", "wood_pickaxe"),
        skill("place-table", "near.table", TABLE),
    )
}


def said(needed: Needed) -> tuple[bool, list[tuple[str, int, bool]]]:
    return needed.faced, [(n.fact, n.number, n.used) for n in needed.brought]


def test_what_was_used_up_is_brought_and_what_it_failed_without() -> None:
    before: dict[str, Fact] = {
        "inventory.wood": 1,
        "inventory.stone": 3,
        "near.table": True,
        "facing": "grass",
    }
    after: dict[str, Fact] = {**before, "inventory.wood": 0, "inventory.wood_pickaxe": 1}
    failed = [frozenset({"facing grass", "inventory.wood", "inventory.stone"})]
    guesses = [said(one) for one in needs_of(before, after, failed, SKILLS)]
    assert guesses[0] == (False, [("inventory.wood", 1, True)])
    # the table uses up two itself, before the one that is wanted at it
    table = [("inventory.wood", 3, True), ("near.table", 1, False)]
    assert (False, table) in guesses
    assert guesses.index((False, table)) < guesses.index(
        (True, [("inventory.stone", 1, False), *table])
    )
    wood, near = next(
        one for one in needs_of(before, after, failed, SKILLS) if said(one)[1] == table
    ).brought
    assert wood.lines[1].strip() == "api.skill('collect-wood@1', count=3)"
    assert near.lines == (
        "if api.facts().get('near.table', 0) < 1:",
        "    api.skill('place-table@1')",
    )


def test_a_tool_and_what_is_faced_are_told_from_what_lay_about() -> None:
    before: dict[str, Fact] = {"inventory.wood_pickaxe": 1, "inventory.wood": 5, "facing": "stone"}
    after: dict[str, Fact] = {**before, "inventory.stone": 1}
    failed = [
        frozenset({"facing water", "inventory.wood"}),  # for one reason or another
        frozenset({"facing grass", "inventory.wood_pickaxe", "inventory.wood"}),
        frozenset({"facing stone", "inventory.wood"}),
    ]
    guesses = [said(one) for one in needs_of(before, after, failed, SKILLS)]
    assert guesses[:2] == [(True, []), (True, [("inventory.wood_pickaxe", 1, False)])]


def test_what_no_skill_brings_cannot_be_needed() -> None:
    before: dict[str, Fact] = {"inventory.sapling": 1}
    after: dict[str, Fact] = {"inventory.sapling": 0, "near.plant": True}
    assert needs_of(before, after, [], SKILLS) == []


def test_what_a_skill_brings_already_is_no_news_and_no_failure() -> None:
    tried = TriedActions()
    assert tried.came_to(["near.cow"], ["inventory.wood"]) == NOTHING
    assert tried.came_to(["inventory.wood"], []) == BROUGHT
    assert tried.came_to(["inventory.wood", "unlocked.collect_wood"], ["inventory.wood"]) == KNOWN
    tree = where({"facing": "tree"}, [])
    table = where({"facing": "tree", "inventory.wood": 2, "near.table": True}, ["near.table"])
    tried.note(tree, "do", KNOWN)
    tried.note(table, "do", NOTHING)
    assert tried.failed("do") == [frozenset({"facing tree", "inventory.wood", "near.table"})]


@pytest.fixture(scope="module")
def jail() -> Iterator[Jail]:
    with open_jail(warm=1) as opened:
        yield opened


def test_a_skill_brings_what_its_move_used_up_by_another_skill(jail: Jail, tmp_path: Path) -> None:
    crafter, trials = make("crafter"), make("crafter")
    admission = Admission(Library(tmp_path / "library"), Runner({}, jail), lambda _: trials)
    explorer = Explorer(crafter)
    learner = SkillLearner(admission, explorer, WORLDS, 0)
    attempt = GoalAttempt(crafter, Runner({}, jail), WORLDS[0])
    attempt.begin()

    def learned(goal: str, *moves: Move) -> Learned:
        explorer.skills = learner.skills("crafter")
        for _ in range(20):
            for move in moves:
                attempt.do(move)
                if attempt.now[goal]:
                    return learner.learn(goal, goal, len(attempt.moves), attempt)
        raise AssertionError(f"{goal} was not reached")

    def act(action: str) -> Move:
        return Move(method="act", values=(action,))

    def goto(kind: str) -> Move:
        return Move(method="goto", values=(kind, "", 25))

    way = (goto("tree"), act("do"), goto("grass"), act("place_table"))
    early = learned("unlocked.place_table", *way)  # it needs wood, and no skill brings any yet
    assert (early.skill, early.steps) == ("", 0)
    attempt.begin()
    assert learned("unlocked.collect_wood", goto("tree"), act("do")).skill == "collect-wood@1"
    done = learned("unlocked.place_table", *way)
    assert done.skill == "place-table@1" and 0 < done.steps < 500
    placing = admission.library.all()["place-table"]
    assert "api.skill('collect-wood@1', count=" in placing.code
    assert placing.contract.preconditions == ()
    assert len({test.task_id for test in placing.tests}) == 3
