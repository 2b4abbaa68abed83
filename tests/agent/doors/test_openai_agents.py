"""The hooks in the real OpenAI Agents SDK, over a real HTTP server whose replies are scripted."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("agents")

from agents import Agent, OpenAIChatCompletionsModel, Runner, function_tool, set_tracing_disabled
from openai import AsyncOpenAI

from lichen.agent.doors.openai_agents import LichenHooks, LichenSession
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


async def test_scripted_what_memory_says_of_a_moment_stands_in_that_request_only(
    agent: Agent[Any], memory: Memory, loopback: Server
) -> None:
    async def run(asked: str, *orders: int) -> LichenHooks:
        calls = [loopback.called(("find_order", {"order": order})) for order in orders]
        for number, call in enumerate(calls):
            call.body["choices"][0]["message"]["tool_calls"][0]["id"] = f"{asked}-{number}"
        loopback.answers(*calls, loopback.said("It is in Oslo."))
        hooks = LichenHooks(memory)
        await Runner.run(agent, asked, hooks=hooks, run_config=hooks.run_config())
        return hooks

    memory.feedback((await run(LOST, 4711)).episode, good=True)
    begun = len(loopback.asked)
    await run("My parcel 4712 never came", 5, 5)
    first, _, last = (
        [str(t.get("content")) for t in b["messages"]] for b in loopback.asked[begun:]
    )
    assert "\n| " in first[1] and "find_order(order=4712)" in first[1]
    assert "| Done 2 times already, with the same answer: find_order(order=5)" in last[-1]
    assert last[1] == "My parcel 4712 never came"


async def test_scripted_a_session_keeps_a_conversation_of_one_user(
    agent: Agent[Any], memory: Memory, loopback: Server, tmp_path: Path
) -> None:
    loopback.answers(
        loopback.said("Hello Ann."),
        loopback.called(("find_order", {"order": 7})),
        loopback.said("In Oslo, Ann."),
    )
    ann = LichenSession(memory, "1", namespace="acme/ann")
    await Runner.run(agent, "I am Ann SECRET", session=ann)
    again = LichenSession(memory, "1", namespace="acme/ann")  # as in another process
    await Runner.run(agent, "Where is 7?", session=again)
    sent = [str(turn.get("content")) for turn in loopback.messages()]
    assert "I am Ann SECRET" in sent and "order 7 is in Oslo" in sent
    for other in (("1", "acme/bob"), ("1", "acme"), ("1", ""), ("2", "acme/ann")):
        assert await LichenSession(memory, other[0], namespace=other[1]).get_items() == []
    said = await ann.get_items()
    assert len(said) == 6 and await ann.get_items(limit=2) == said[-2:]
    assert await ann.get_items(limit=0) == []
    assert await ann.pop_item() == said[-1] and await ann.get_items() == said[:-1]
    await ann.add_items([{"role": "user", "content": "and now?"}])
    assert (await ann.get_items())[-1]["content"] == "and now?"
    await ann.clear_session()
    assert await ann.get_items() == [] and await ann.pop_item() is None
    assert not any(b"SECRET" in file.read_bytes() for file in tmp_path.glob("ledger.sqlite*"))
    with pytest.raises(UsageError, match="needs a name"):
        LichenSession(memory, "")


async def test_scripted_the_lines_of_the_docs_run(agent: Agent[Any], memory: Memory) -> None:
    page = Path(__file__).parents[3] / "docs" / "embed.md"
    (lines,) = re.findall(r"^```py\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    code = compile(lines, str(page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    names = {"Runner": Runner, "agent": agent, "memory": memory, "LichenHooks": LichenHooks}
    await eval(code, names)
    (case,) = memory.store.episodes.values()
    assert case.namespace == "acme/ann"
