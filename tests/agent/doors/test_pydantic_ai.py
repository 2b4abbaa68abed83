"""The capability for pydantic-ai, in the real library (the model is a function of the test: scripted)."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pydantic_ai")

from pydantic_ai import Agent, ModelRetry
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from lichen.agent.doors.pydantic_ai import LichenCapability
from lichen.envs.errors import UsageError
from lichen.memory import Memory
from lichen.memory.likeness.embedder import HashingEmbedder

LOST = "My parcel 4711 never came"


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory(tmp_path, embedder=HashingEmbedder()) as made:
        yield made


def agent_of(seen: list[str], *capabilities: LichenCapability) -> Agent[None, str]:
    """Looks an order up (wrongly first), then answers; `seen` takes the instructions of each request."""

    def reply(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        seen.append(info.instructions or "")
        said = str(messages)
        if "is in Oslo" in said:
            return ModelResponse(parts=[TextPart("It is in Oslo.")])
        order = 4711 if "begin at 1" in said else 0
        return ModelResponse(parts=[ToolCallPart("find_order", {"order": order})])

    agent = Agent(FunctionModel(reply), instructions="Be kind.", capabilities=list(capabilities))

    @agent.tool_plain
    def find_order(order: int) -> str:
        "Say where an order is."
        if order == 0:
            raise ModelRetry("orders begin at 1")
        return f"order {order} is in Oslo"

    return agent


def test_scripted_a_run_is_remembered_judged_and_recalled(memory: Memory) -> None:
    seen: list[str] = []
    remembering = LichenCapability(memory, namespace="acme/ann")
    agent = agent_of(seen, remembering)
    result = agent.run_sync(LOST)
    assert result.output == "It is in Oslo." and not memory.store.episodes
    assert all("Be kind." in said and "Records" not in said for said in seen)
    memory.feedback(remembering.episode(result), good=True)
    (case,) = memory.store.episodes.values()
    assert case.actions == (
        "find_order(order=0)",
        "find_order(order=4711)",
        "finish(answer='It is in Oslo.')",
    )
    assert case.namespace == "acme/ann"
    errors = [step.error for step in memory.store.steps.values()]
    assert any("orders begin at 1" in error for error in errors)
    seen.clear()
    agent.run_sync("My parcel 4712 never came")
    assert f"Case: {LOST} (it was solved)" in seen[0]
    agent_of(seen, LichenCapability(memory, namespace="acme/bob")).run_sync(LOST)
    assert "Case:" not in seen[-1]


def test_scripted_what_memory_says_of_a_moment_stands_in_that_request_only(memory: Memory) -> None:
    sent: list[str] = []
    calls = [4711]

    def reply(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        sent.append(str(messages[-1].parts[-1].content))  # type: ignore[union-attr]
        if calls:
            return ModelResponse(parts=[ToolCallPart("find_order", {"order": calls.pop()})])
        return ModelResponse(parts=[TextPart("It is in Oslo.")])

    remembering = LichenCapability(memory)
    agent = Agent(FunctionModel(reply), capabilities=[remembering])

    @agent.tool_plain
    def find_order(order: int) -> str:
        "Say where an order is."
        return f"order {order} is in Oslo"

    memory.feedback(remembering.episode(agent.run_sync(LOST)), good=True)
    sent.clear()
    calls += [5, 5]
    result = agent.run_sync("My parcel 4712 never came")
    assert sent[0].startswith("| ") and "find_order(order=4712)" in sent[0]
    assert "| Done 2 times already, with the same answer: find_order(order=5)" in sent[2]
    assert "Done 2 times" not in str(result.all_messages())


async def test_scripted_runs_at_once_are_kept_apart(memory: Memory) -> None:
    remembering = LichenCapability(memory, namespace=lambda ctx: "team")
    agent = agent_of([], remembering)
    results = await asyncio.gather(*(agent.run(f"{LOST} {n}") for n in range(4)))
    for result in results:
        memory.feedback(remembering.episode(result), good=True)
    assert sorted(case.goal for case in memory.store.episodes.values()) == [
        f"{LOST} {n}" for n in range(4)
    ]
    assert all(len(case.actions) == 3 for case in memory.store.episodes.values())


def test_scripted_a_run_that_fails_is_not_remembered(memory: Memory) -> None:
    def down(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        raise OSError("the model is down")

    remembering = LichenCapability(memory)
    agent: Agent[Any, str] = Agent(FunctionModel(down), capabilities=[remembering])
    with pytest.raises(OSError):
        agent.run_sync(LOST)
    other = Agent(FunctionModel(lambda m, i: ModelResponse(parts=[TextPart("hello")])))
    with pytest.raises(UsageError, match="not remembered"):
        remembering.episode(other.run_sync("hi"))
    assert not memory.store.episodes
