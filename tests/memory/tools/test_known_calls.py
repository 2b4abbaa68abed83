"""Calls that are kept from view to view are those that a fresh look finds."""

from pathlib import Path

from lichen.memory import Memory
from lichen.memory.likeness.embedder import HashingEmbedder
from lichen.memory.recall.case_memory import CaseMemory
from lichen.memory.tools.known_calls import KnownCalls
from lichen.memory.tools.tool_memory import ToolMemory


def test_kept_calls_equal_a_fresh_look_as_episodes_come_change_and_go(tmp_path: Path) -> None:
    with Memory(tmp_path, embedder=HashingEmbedder()) as memory:
        calls = KnownCalls(memory.store)

        def same() -> int:
            counted = 0
            for space in ("", "acme", "acme/ann"):
                view = CaseMemory(memory.store, memory.config, namespace=space)
                kept = ToolMemory(view, "memory", calls=calls)
                fresh = ToolMemory(view, "memory")
                assert kept.records() == fresh.records()
                assert kept.refusals() == fresh.refusals()
                assert kept.suggest("where is order 3?") == fresh.suggest("where is order 3?")
                counted += sum(record.n for record in kept.records())
            return counted

        assert same() == 0
        told = []
        for number in range(6):
            steps = [
                {"tool": "find", "arguments": {"order": number}, "answer": "in Oslo"},
                {"tool": "refund", "arguments": {"order": number}, "error": "too late"},
            ]
            space = ("", "acme", "acme/ann")[number % 3]
            told.append(memory.remember(f"where is order {number}?", steps, namespace=space))
            memory.feedback(told[-1], good=True)
            same()
        before = same()
        memory.feedback(told[0], good=False, correct="In Bern.")
        assert same() == before
        memory.forget(told[1], cascade=True)
        assert same() < before
        memory.feedback(memory.remember("and order 9?", steps), good=True)
        assert same() > 0


def test_two_recalls_say_the_same_of_tools_as_a_memory_opened_anew(tmp_path: Path) -> None:
    def told(memory: Memory) -> list[str]:
        lines = memory.recall("where is order 7?").text.splitlines()
        return [line for line in lines if "Known failure" in line]

    with Memory(tmp_path, embedder=HashingEmbedder()) as memory:
        for number in range(3):
            found = memory.recall(f"where is order {number}?")
            step = {"tool": "refund", "arguments": {"order": number}, "error": "too late"}
            memory.remember(found, [step])
            memory.feedback(found.id, good=False)
        memory.store.settle()
        kept = told(memory)
    with Memory(tmp_path, embedder=HashingEmbedder(), read_only=True) as again:
        assert kept == told(again) == ["| Known failure: refund was refused 3 of 3 times: too late"]
