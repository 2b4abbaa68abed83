"""What calls came to is remembered, honestly and durably."""

from pathlib import Path

import pytest

from lichen.envs import EnvironmentFault, Functions, Request, Tool
from lichen.envs.tools import Call
from lichen.memory import Store
from lichen.memory.likeness.embedder import HashingEmbedder
from lichen.memory.recall.case_memory import CaseMemory
from lichen.memory.tools.candidates import candidates
from lichen.memory.tools.tool_memory import ToolMemory

STOCK = {"red lamp": 3, "blue chair": 0, "green table": 12}


def count(item: str) -> int:
    """Say how many pieces of an item are in stock."""
    if item not in STOCK:
        raise KeyError(item)
    return STOCK[item]


def price(item: str, currency: str = "EUR") -> float:
    """Say what an item costs."""
    return float(len(item))


def shop(*, version: str = "1", functions: tuple[str, ...] = ("count", "price")) -> Functions:
    tools = {"count": Tool(count, version=version), "price": Tool(price)}
    requests = [
        Request(
            name.replace(" ", "-"),
            f"How many pieces of '{name}' are there?",
            lambda answer, n=n: str(n) in answer,  # type: ignore[misc]
        )
        for name, n in STOCK.items()
    ]
    return Functions("shop", [tools[name] for name in functions], requests)


def opened(folder: Path, *, read_only: bool = False) -> Store:
    return Store(folder, embedder=HashingEmbedder(), clock=lambda: 0.0, read_only=read_only)


@pytest.mark.usefixtures("stocked")
def test_tool_memory_knows_what_calls_came_to_and_is_as_durable_as_the_ledger(
    tmp_path: Path,
) -> None:
    with opened(tmp_path) as store:
        memory = ToolMemory(CaseMemory(store), "shop")
        record = memory.record("count")
        assert record is not None and (record.n, record.ok) == (3, 2)
        assert record.patterns[0].arguments == {"item": "goal"}
        assert "KeyError" in record.errors[0][0]
        suggested = memory.suggest("How many pieces of 'yellow shelf' are there?")
        assert suggested[0].tool in ("count", "finish") and "count" in {s.tool for s in suggested}
        again = Call(**{**shop().call("count(item='table')").model_dump()})
        goal = "How many pieces of 'green table' are there?"
        assert memory.note(again, goal, "") == (
            "count with item failed 1 of 1 times: count failed: KeyError: 'table'"
        )
        fine = shop().call("count(item='red lamp')")
        assert memory.note(fine, "How many pieces of 'red lamp' are there?", "") == ""
        assert ToolMemory(CaseMemory(store, first=1), "shop").records()[0].n == 1
        assert ToolMemory(CaseMemory(store), "elsewhere").records() == []


@pytest.mark.usefixtures("stocked")
def test_a_task_is_not_told_what_its_own_episodes_or_held_out_ones_called(tmp_path: Path) -> None:
    asked = "How many pieces of 'green table' are there?"
    with opened(tmp_path) as store:
        memory = CaseMemory(store)
        others = ToolMemory(memory, "shop", task_id="shop/green-table")
        assert sum(record.n for record in others.records()) == 4
        example = next(s.example for s in others.suggest(asked) if s.tool == "count")
        assert example.arguments == {"item": "red lamp"}
        none = ToolMemory(memory, "shop", shows=lambda episode: False)
        assert none.records() == [] and none.suggest(asked) == []


def test_outages_of_a_tool_are_no_failed_calls_and_odd_results_are_text() -> None:
    def down() -> str:
        raise EnvironmentFault("the backend is down")

    def odd() -> dict[tuple[int, int], int]:
        return {(1, 2): 3}

    with pytest.raises(EnvironmentFault):
        Tool(down).call({})
    assert Tool(odd).call({}) == '{"1,2": 3}'
    assert candidates([Tool(price).spec], "what about " + "9" * 5000)
