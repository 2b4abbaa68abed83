"""What memory says at a step of a real help desk with real cases, to a model that talks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lichen.agent.acting.situation import Situation
from lichen.agent.episode.recollect import recollect, situation_of, think
from lichen.agent.open_agent import OpenAgent
from lichen.agent.talking.step_notes import step_notes
from lichen.envs.base import Environment
from lichen.memory.recall.case_memory import CaseMemory
from lichen.memory.store.demonstrations import from_gold, import_demonstrations


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenAgent]:
    folder: Path = tmp_path_factory.mktemp("desk")
    with OpenAgent.from_config(
        store=folder, embedder="hashing", model="openai:never-asked", base_url="http://127.0.0.1:9"
    ) as agent:
        environment = agent.environment(None, "support/train/late/0")
        ids = [task.id for task in environment.tasks("train") if task.family in ("late", "missing")]
        import_demonstrations(agent.store, from_gold(environment, ids), run="gold")
        yield agent


def environment_of(agent: OpenAgent) -> Environment:
    return agent.environment(None, "support/train/late/0")


async def at_step(agent: OpenAgent, task: str, actions: list[str]) -> Situation:
    parts = agent.parts(
        environment_of(agent), task, memory=CaseMemory(agent.store), llm_name="", seed=0
    )
    state = {"episode": "e", "run": "r", "task_id": task, "seed": 0, "actions": actions}
    recalled = recollect(parts, state)  # type: ignore[arg-type]
    thought = await think(parts, state, recalled)  # type: ignore[arg-type]
    return situation_of(parts, state, recalled, thought)  # type: ignore[arg-type]


async def test_the_next_call_is_told_with_this_ticket_s_own_values(desk: OpenAgent) -> None:
    environment = environment_of(desk)
    environment.reset("support/test/missing/0")
    gold = environment.gold()
    assert gold is not None
    told = step_notes(await at_step(desk, "support/test/missing/0", []))
    assert any(f"the next call was: {gold[0]}" in note for note in told), told
    told = step_notes(await at_step(desk, "support/test/missing/0", [gold[0]]))
    assert any("check_stock(sku=" in note for note in told), told


async def test_no_number_of_another_ticket_is_told_in_a_call(desk: OpenAgent) -> None:
    foreign = {
        number
        for case in desk.store.steps.values()
        for number in map(str, (case.call.arguments.get("order", "") if case.call else "",))
        if number
    }
    assert foreign
    for family in ("late", "missing"):
        for n in range(5):
            at = await at_step(desk, f"support/test/{family}/{n}", [])
            calls = [note for note in step_notes(at) if "the next call was" in note]
            assert calls
            assert not any(number in note for note in calls for number in foreign)


async def test_what_was_said_at_the_end_of_solved_cases_is_said_again(desk: OpenAgent) -> None:
    told = step_notes(await at_step(desk, "support/test/late/0", []))
    rule = "A late order gets 10% of its total back, to the card."
    assert any(
        note.startswith("Said at the end of a solved case:") and rule in note for note in told
    )
