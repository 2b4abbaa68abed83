"""Programs from trajectories: loops, promises, and places that list no actions."""

from lichen.envs import Fact, make
from lichen.skills.admission import Admission
from lichen.skills.induction.induce import InduceConfig, induce
from lichen.skills.induction.program import Piece, write
from lichen.skills.induction.traces import Move, Trace
from lichen.skills.induction.watch import winning
from lichen.skills.jail import Jail
from lichen.skills.library import Library
from lichen.skills.lint import check
from lichen.skills.skill_runner import Runner


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
