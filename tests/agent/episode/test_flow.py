"""Values flow along the graph: nothing is asked twice, and a resume between two nodes makes them again."""

from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from lichen.agent.episode import graph as nodes
from lichen.agent.episode.graph import build
from lichen.agent.episode.run_episode import run_episode
from lichen.agent.episode.state import EpisodeState
from lichen.agent.llm import ScriptedLLM
from lichen.agent.open_agent import OpenAgent
from lichen.envs import UsageError, make
from lichen.memory.recall.case_memory import CaseMemory
from lichen.memory.store.demonstrations import from_gold, import_demonstrations


class CountedMemory(CaseMemory):
    """A memory that counts its reads."""

    reads = 0

    def read(self, *args: Any, **options: Any) -> Any:
        """Read, and count it."""
        self.reads += 1
        return super().read(*args, **options)


@pytest.fixture
def opened(tmp_path: Path) -> Any:
    """An agent with a few demonstrations and a scripted model."""
    with OpenAgent.from_config(store=tmp_path, embedder="hashing", llm=ScriptedLLM()) as agent:
        environment = make("alfworld-mini")
        ids = [task.id for task in environment.tasks("train")][:4]
        import_demonstrations(agent.store, from_gold(environment, ids), run="gold")
        yield agent


def parts_of(agent: OpenAgent, memory: CaseMemory) -> Any:
    environment = make("alfworld-mini")
    environment.max_steps = 5
    return agent.parts(environment, environment.tasks("test")[0].id, memory=memory)


async def test_memory_is_read_once_a_step(opened: OpenAgent) -> None:
    memory = CountedMemory(opened.store, opened.config.retriever)
    result = await run_episode(build(), parts_of(opened, memory), episode="e", run="r")
    assert result.steps == memory.reads == 5


async def test_what_flows_is_never_checkpointed_and_is_made_again_after_a_resume(
    opened: OpenAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    saver, memory = InMemorySaver(), CountedMemory(opened.store, opened.config.retriever)
    whole = await run_episode(build(), parts_of(opened, memory), episode="whole", run="r")
    monkeypatch.setattr(nodes, "act", _killed_once(nodes.act))
    with pytest.raises(UsageError, match="killed here"):
        await run_episode(build(saver), parts_of(opened, memory), episode="e", run="r")
    kept = saver.get({"configurable": {"thread_id": "e"}})
    assert kept is not None
    assert {"actions", "task_id"} <= kept["channel_values"].keys()
    assert not {"recalled", "thought"} & kept["channel_values"].keys()
    memory.reads = 0
    resumed = await run_episode(build(saver), parts_of(opened, memory), episode="e", run="r")
    assert resumed.actions == whole.actions
    assert memory.reads == 5 - 1  # the second step was read again, once, by the node that went on


def _killed_once(act: Any) -> Any:
    """Return a node that is interrupted at its second step, the first time."""
    killed: list[bool] = []

    async def node(state: EpisodeState, runtime: Any) -> Any:
        if len(state["actions"]) == 1 and not killed:
            killed.append(True)
            raise UsageError("killed here")
        return await act(state, runtime)

    return node
