"""The middleware in LangChain's own agent, over a real HTTP server whose replies are scripted."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("langchain")
pytest.importorskip("langchain_openai")

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import SecretStr

from lichen.agent.doors.langchain_middleware import LichenMiddleware
from lichen.memory import Memory
from lichen.memory.likeness.embedder import HashingEmbedder

Server = Any  # ScriptedServer of conftest.py
LOST = "My parcel 4711 never came"


@tool
def find_order(order: int) -> str:
    """Say where an order is."""
    return f"order {order} is in Oslo"


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory(tmp_path, embedder=HashingEmbedder()) as made:
        yield made


@pytest.fixture
def server(loopback: Server) -> Server:
    def reply(body: dict[str, Any]) -> Any:
        turns = body["messages"]
        last = max(n for n, turn in enumerate(turns) if turn["role"] == "user")
        came = [turn["content"] for turn in turns[last:] if turn["role"] == "tool"]
        if came:
            return loopback.said(f"I found: {came[-1]}")
        number = re.search(r"\d+", turns[last]["content"])
        if number is None:
            return loopback.said("Hello.")
        return loopback.called(("find_order", {"order": int(number[0])}))

    loopback.answers(reply)
    return loopback


def agent_of(server: Server, memory: Memory, **more: Any) -> Any:
    model = ChatOpenAI(model="m", base_url=server.url, api_key=SecretStr("none"))
    given = {key: more.pop(key) for key in ("namespace", "judge") if key in more}
    middleware = [LichenMiddleware(memory, **given)]
    return create_agent(
        model, [find_order], system_prompt="Be kind.", middleware=middleware, **more
    )


def asked(text: str) -> dict[str, Any]:
    return {"messages": [("user", text)]}


def test_scripted_a_run_is_remembered_judged_and_recalled(server: Server, memory: Memory) -> None:
    agent = agent_of(server, memory, namespace="acme/ann")
    result = agent.invoke(asked(LOST))
    assert result["messages"][-1].text == "I found: order 4711 is in Oslo"
    assert not memory.store.episodes
    memory.feedback(result["lichen_episode"], good=True)
    (case,) = memory.store.episodes.values()
    assert case.goal == LOST and case.namespace == "acme/ann"
    assert case.actions == (
        "find_order(order=4711)",
        "finish(answer='I found: order 4711 is in Oslo')",
    )
    agent.invoke(asked("My parcel 4712 never came"))
    system = server.messages()[0]
    assert system["role"] == "system" and system["content"].startswith("Be kind.")
    assert f"| Case: {LOST} (it was solved)" in system["content"]
    agent_of(server, memory, namespace="acme/bob").invoke(asked(LOST))
    assert server.messages()[0]["content"] == "Be kind."


def test_scripted_a_tool_that_fails_is_seen_and_told(server: Server, memory: Memory) -> None:
    @tool
    def find_order(order: int) -> str:
        """Say where an order is."""
        raise ValueError("orders have five digits")

    find_order.handle_tool_error = True
    model = ChatOpenAI(model="m", base_url=server.url, api_key=SecretStr("none"))
    agent: Any = create_agent(model, [find_order], middleware=[LichenMiddleware(memory)])
    with pytest.raises(ValueError, match="five digits"):
        agent.invoke(asked(LOST))
    assert not memory.recall(LOST).items  # what did not end is not remembered


async def test_scripted_async_runs_at_once_and_each_user_apart(
    server: Server, memory: Memory
) -> None:
    agent = agent_of(
        server,
        memory,
        namespace=lambda runtime: runtime.context["user"],
        judge=lambda request, answer: "Oslo" in answer,
    )
    results = await asyncio.gather(
        *(
            agent.ainvoke(asked(f"My parcel {n} never came"), context={"user": f"team/{n % 2}"})
            for n in range(1, 7)
        )
    )
    assert len({result["lichen_episode"] for result in results}) == 6
    spaces = [case.namespace for case in memory.store.episodes.values()]
    assert sorted(spaces) == ["team/0"] * 3 + ["team/1"] * 3
    assert {case.outcome for case in memory.store.episodes.values()} == {"success"}


def test_scripted_each_turn_of_a_conversation_is_an_episode(server: Server, memory: Memory) -> None:
    agent = agent_of(
        server, memory, judge=lambda request, answer: True, checkpointer=InMemorySaver()
    )
    here = {"configurable": {"thread_id": "1"}}
    first = agent.invoke(asked(LOST), here)
    second = agent.invoke(asked("Thank you"), here)
    assert first["lichen_episode"] != second["lichen_episode"]
    actions = {case.goal: len(case.actions) for case in memory.store.episodes.values()}
    assert actions == {LOST: 2, "Thank you": 1}


def test_scripted_a_changed_contract_is_known_by_its_schema(server: Server, memory: Memory) -> None:
    result = agent_of(server, memory).invoke(asked(LOST))
    memory.feedback(result["lichen_episode"], good=True)
    (record,) = [r for r in memory.tools().records() if r.tool == "find_order"]
    call = next(
        s.call for s in memory.store.steps.values() if s.call and s.call.tool == "find_order"
    )
    assert record.schema_hash == call.schema_hash and record.n == record.ok == 1


def test_scripted_a_judge_that_fails_leaves_the_run_unknown_and_answered(
    server: Server, memory: Memory
) -> None:
    def judge(request: str, answer: str) -> float:
        return 7.0 if "4711" in request else 1 / 0

    agent = agent_of(server, memory, judge=judge)
    for request in (LOST, "Where is 12?"):
        assert "in Oslo" in agent.invoke(asked(request))["messages"][-1].text
    assert not memory.store.episodes


def test_scripted_calls_of_one_reply_are_kept_each_with_its_own_answer(
    server: Server, memory: Memory
) -> None:
    both = server.called(("find_order", {"order": 1}), ("find_order", {"order": 2}))
    server.answers(both, server.said("Both are in Oslo."))
    result = agent_of(server, memory).invoke(asked("Where are my orders?"))
    memory.feedback(result["lichen_episode"], good=True)
    steps = sorted(memory.store.steps.values(), key=lambda case: case.index)
    assert [case.action for case in steps[:2]] == ["find_order(order=1)", "find_order(order=2)"]
    text = memory.recall("Where are my orders?").text
    assert "order 1 is in Oslo" in text and "order 2 is in Oslo" in text
