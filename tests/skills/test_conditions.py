"""Conditions understand facts and nothing else."""

import pytest

from lichen.skills.conditions import View, holds, problem
from lichen.skills.errors import BadSkill


def test_conditions_understand_facts_and_nothing_else() -> None:
    view = View({"inventory.wood": 3, "health": 9}, ("take apple",), "An apple", "a knife")
    assert holds('can("take {thing}") and not has("{thing}")', view, {"thing": "apple"})
    assert not holds("inventory.stone >= 1", view, {})
    with pytest.raises(BadSkill, match="no fact and no parameter 'helth'"):
        holds("helth > 1", view, {})
    for text in ("__import__('os')", "[x for x in y]", "open('f')", "lambda: 1", "(1).real()"):
        assert problem(text)


@pytest.mark.parametrize(
    "condition",
    ["0x" + "f" * 280 + " - 1.5 >= 0 or x", "inventory.wood < 'a'", "-'a'", "[1][2] == 1"],
)
def test_a_condition_that_overflows_or_raises_is_a_broken_contract(condition: str) -> None:
    with pytest.raises(BadSkill, match="cannot be checked"):
        holds(condition, View({"inventory.wood": 3}), {"x": 1})


@pytest.mark.parametrize(
    "condition", ["won\0", "(" * 140 + "1" + ")" * 140, "-" * 290 + "1", "\ud800"]
)
def test_a_condition_that_cannot_be_read_is_none_and_no_exception(condition: str) -> None:
    assert problem(condition) or holds(condition, View({}), {})
