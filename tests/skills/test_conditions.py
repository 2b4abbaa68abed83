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
