"""Calls of tools: read, checked, written; contracts."""

import pytest

from lichen.envs import Tool, UsageError
from lichen.envs.tools import ToolSpec, problem_of, read_call, worded_call, write_call

STOCK = {"red lamp": 3, "blue chair": 0, "green table": 12}


def count(item: str) -> int:
    """Say how many pieces of an item are in stock."""
    if item not in STOCK:
        raise KeyError(item)
    return STOCK[item]


def test_a_call_is_read_checked_and_written_and_its_contract_ignores_descriptions() -> None:
    spec = Tool(count).spec
    assert read_call("count('red lamp')", [spec]).arguments == {"item": "red lamp"}
    assert write_call("count", {"item": "it's"}) == 'count(item="it\'s")'
    for bad in (
        "count()",
        "count(item=3)",
        "count(items='x')",
        "count(item=open('x'))",
        "count(**{})",
        "count(**[1])",
        "count(item='a', **{'item': 'b'})",
        "other()",
        "a b",
        "(" * 5000,
    ):
        with pytest.raises(UsageError):
            read_call(bad, [spec])
    described = spec.model_copy(update={"description": "other words"})
    assert described.schema_hash == spec.schema_hash
    assert Tool(count, version="2").spec.schema_hash != spec.schema_hash
    assert (
        worded_call("twx", "take map").schema_hash
        != worded_call("twx", "take map", "2").schema_hash
    )
    limited = ToolSpec(
        name="x", parameters={"properties": {"m": {"type": "integer", "enum": [1, 2]}}}
    )
    assert problem_of(limited, {"m": True}) and problem_of(limited, {"m": 3})
    assert not problem_of(limited, {"m": 2})
