"""What was learned before success fell counts for less, in its own kind of task, and that is said."""

from pathlib import Path

from lichen.envs.types import Outcome
from lichen.memory import Memory
from lichen.memory.recall.case_memory import CaseMemory
from lichen.memory.store.store import Store


def lived(memory: Memory, way: str, outcome: Outcome, times: int, llm: str = "one") -> None:
    for number in range(times):
        told = memory.recall(f"a parcel {number} is lost in Oslo", llm=llm)
        step = {"tool": "settle", "arguments": {"way": way}, "answer": "done"}
        memory.remember(told, [step], outcome=outcome)


def test_old_cases_come_after_new_ones_that_are_as_near(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        memory, other = Memory(store, name="desk"), Memory(store, name="shop")
        lived(other, "refund", "success", 7)
        lived(memory, "refund", "success", 7)
        before = memory.recall("a parcel 5 is lost in Oslo")
        assert not any("before success fell" in item.why for item in before.items)
        lived(memory, "refund", "failure", 5)
        lived(memory, "credit", "success", 1)
        after = memory.recall("a parcel 5 is lost in Oslo", k=8)
        shown = [item for item in after.items if item.shown]
        old = ["before success fell" in item.why for item in shown]
        assert old == sorted(old)
        assert 0 < sum(old) < len(old)
        assert shown[0].score == 0 or "credit" in shown[0].actions[0]
        # the other kind of work did not change
        same = other.recall("a parcel 5 is lost in Oslo").items
        assert same
        assert not any("before success fell" in item.why for item in same)
        # a view of the time before knows of no fall
        first = CaseMemory(store, first=14)
        assert not any(map(first.is_old, store.episodes.values()))
    with Memory(tmp_path, name="desk") as again:  # folded anew
        assert any(
            "before success fell" in i.why for i in again.recall("a parcel 5 is lost", k=8).items
        )


def test_a_weaker_model_is_no_change_of_the_world(tmp_path: Path) -> None:
    with Memory(tmp_path, name="desk") as memory:
        lived(memory, "refund", "success", 7, llm="strong")
        lived(memory, "refund", "failure", 7, llm="weak")
        assert not any(
            "before success fell" in i.why for i in memory.recall("a parcel 5", k=8).items
        )


def test_the_bench_of_changing_rules(tmp_path: Path) -> None:
    from lichen.agent.lab.bench import changing_rules

    found = changing_rules.bench_drift(each=24, seeds=1, say=lambda _: None)
    after = {(row["what"], row["the rules"]): row["after"] for row in found["rows"]}
    assert after[changing_rules.WITH, "change"] > after[changing_rules.WITHOUT, "change"]
    assert after[changing_rules.WITH, "stay"] >= after[changing_rules.WITHOUT, "stay"] - 0.05
