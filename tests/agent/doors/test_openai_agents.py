"""The hooks in the real OpenAI Agents SDK, over a real HTTP server whose replies are scripted."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("agents")

from agents import Agent, OpenAIChatCompletionsModel, Runner, function_tool, set_tracing_disabled
from openai import AsyncOpenAI

from lichen.agent.doors.openai_agents import LichenHooks
from lichen.envs.errors import UsageError
from lichen.memory import Memory
from lichen.memory.likeness.embedder import HashingEmbedder

Server = Any  # ScriptedServer of conftest.py
LOST = "My parcel 4711 never came"


@function_tool
def find_order(order: int) -> str:
    """Say where an order is."""
    if order == 0:
        raise ValueError("orders begin at 1")
    return f"order {order} is in Oslo"


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory(tmp_path, embedder=HashingEmbedder()) as made:
        yield made


@pytest.fixture
def agent(loopback: Server) -> Agent[Any]:
    def reply(body: dict[str, Any]) -> Any:
        came = [turn["content"] for turn in body["messages"] if turn["role"] == "tool"]
        if len(came) == 2:
            return loopback.said("It is in Oslo.")
        asked = next(t["content"] for t in body["messages"] if t["role"] == "user")
        number = re.search(r"\d+", str(asked))
        order = 0 if not came else int(number[0]) if number else 1
        answer = loopback.called(("find_order", {"order": order}))
        (call,) = answer.body["choices"][0]["message"]["tool_calls"]
        call["id"] = f"call-{len(loopback.asked)}"  # the SDK wants them to be unique
        return answer

    set_tracing_disabled(True)
    loopback.answers(reply)
    client = AsyncOpenAI(base_url=loopback.url, api_key="none")
    model = OpenAIChatCompletionsModel(model="m", openai_client=client)
    return Agent(name="desk", instructions="Be kind.", tools=[find_order], model=model)


async def test_scripted_a_run_is_remembered_judged_and_recalled(
    agent: Agent[Any], memory: Memory, loopback: Server
) -> None:
    hooks = LichenHooks(memory, namespace="acme/ann")
    with pytest.raises(UsageError, match="no run"):
        _ = hooks.episode
    result = await Runner.run(agent, LOST, hooks=hooks, run_config=hooks.run_config())
    assert result.final_output == "It is in Oslo." and not memory.store.episodes
    memory.feedback(hooks.episode, good=True)
    (case,) = memory.store.episodes.values()
    assert case.goal == LOST and case.actions == (
        "find_order(order=0)",
        "find_order(order=4711)",
        "finish(answer='It is in Oslo.')",
    )
    assert any("An error occurred" in step.error for step in memory.store.steps.values())
    again = LichenHooks(memory, namespace="acme/ann")
    begun = len(loopback.asked)
    await Runner.run(agent, "My parcel 4712 never came", hooks=again, run_config=again.run_config())
    system = loopback.asked[begun]["messages"][0]["content"]
    assert system.startswith("Be kind.") and f"| Case: {LOST} (it was solved)" in system
    other = LichenHooks(memory, namespace="acme/bob")
    begun = len(loopback.asked)
    await Runner.run(agent, LOST, hooks=other, run_config=other.run_config())
    assert loopback.asked[begun]["messages"][0]["content"] == "Be kind."
