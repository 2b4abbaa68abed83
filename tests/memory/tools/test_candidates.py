"""Candidate calls."""

from pathlib import Path

import pytest

from lichen.envs import Tool, load_suite, make
from lichen.envs.tools import write_call
from lichen.memory import Store
from lichen.memory.likeness.embedder import HashingEmbedder
from lichen.memory.recall.case_memory import CaseMemory
from lichen.memory.tools.candidates import candidates
from lichen.memory.tools.tool_memory import ToolMemory


def opened(folder: Path, *, read_only: bool = False) -> Store:
    return Store(folder, embedder=HashingEmbedder(), clock=lambda: 0.0, read_only=read_only)


def test_candidate_calls_hold_the_right_one_more_often_with_memory(conversations: Path) -> None:
    environment = make("bfcl")
    with opened(conversations) as store:
        memory = ToolMemory(CaseMemory(store), "bfcl")
        found = {None: 0, memory: 0}
        steps = 0
        for task_id in load_suite("bfcl").task_ids("dev", 16):
            seen = environment.reset(task_id)
            answers = [seen.text]
            for action in environment.gold() or ():
                right = environment.call(action)
                for known in found:
                    made = candidates(environment.tools(), seen.goal, answers, known)
                    calls = [environment.call(call) for call in made]
                    assert len(made) == len(set(made)) < 400 and "end_turn()" in made
                    found[known] += right in calls
                steps += 1
                seen = environment.step(action).observation
                answers.append(seen.text)
    assert found[memory] > found[None] > 0.4 * steps


@pytest.mark.parametrize(
    ("ask", "value"),
    [
        ("Write to ada.l+x@example.co.uk, please.", "ada.l+x@example.co.uk"),
        ("Read https://example.com/a/b?c=1.", "https://example.com/a/b?c=1"),
        ("Where is order ORD-12/3-A?", "ORD-12/3-A"),
        ("Is it open on 01/02/2024?", "01/02/2024"),
        ("An order for O'Brien", "O'Brien"),
        ("An order for Zoë D’Angelo", "Zoë D’Angelo"),
    ],
)
def test_what_is_one_value_though_it_has_marks_inside_is_an_argument_whole(
    ask: str, value: str
) -> None:
    def find(which: str) -> str:
        "Find an order."
        return which

    assert write_call("find", {"which": value}) in candidates([Tool(find).spec], ask)
