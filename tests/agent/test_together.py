"""Several requests at once: each is answered with its own data, whoever asks for them and from where."""

import asyncio
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lichen.agent import Agent
from lichen.envs import Functions, Request, Tool

Server = Any  # ScriptedServer of conftest.py
N = 4


def tickets(paid: list[str]) -> Functions:
    def refund(order: str) -> str:
        "Pay money back."
        paid.append(order)
        return f"paid {order}"

    requests = [
        Request(str(n), f"Refund ORD-{n}, please.", lambda a, n=n: a == f"ORD-{n}")  # type: ignore[misc]
        for n in range(N)
    ]
    return Functions("desk", [Tool(refund)], requests)


@pytest.fixture
def server(loopback: Server) -> Server:
    """Refunds the order of the conversation, then finishes with it; slowly, so that requests overlap."""

    def reply(body: dict[str, Any]) -> Any:
        if (probe := loopback.probed(body)) is not None:
            return probe
        time.sleep(0.05)
        turns = body["messages"]
        order = re.search(r"ORD-\d", turns[1]["content"])
        assert order is not None
        done = any(turn["role"] == "tool" for turn in turns)
        if done:
            return loopback.called(("finish", {"answer": order[0]}))
        return loopback.called(("refund", {"order": order[0]}))

    loopback.answers(reply)
    return loopback


@pytest.fixture
def paid() -> list[str]:
    return []


@pytest.fixture
def agent(tmp_path: Path, server: Server, paid: list[str]) -> Iterator[Agent]:
    with Agent.from_config(
        store=tmp_path, embedder="hashing", model="openai:m", base_url=server.url
    ) as made:
        made.add(tickets(paid))
        yield made


ALL = [f"ORD-{n}" for n in range(N)]


async def test_scripted_requests_gathered_in_one_loop(agent: Agent, paid: list[str]) -> None:
    results = await asyncio.gather(*(agent.arun(f"desk/{n}") for n in range(N)))
    assert [r.outcome for r in results] == ["success"] * N
    assert sorted(paid) == ALL
    assert [r.actions[0] for r in results] == [f"refund(order={order!r})" for order in ALL]


async def test_scripted_the_same_request_twice_at_once_is_two_episodes(
    agent: Agent, paid: list[str]
) -> None:
    one, other = await asyncio.gather(agent.arun("desk/1"), agent.arun("desk/1"))
    assert one.outcome == other.outcome == "success" and one.episode != other.episode
    assert paid == ["ORD-1", "ORD-1"]


def test_scripted_requests_of_several_threads(agent: Agent, paid: list[str]) -> None:
    found: dict[int, str] = {}

    def ask(n: int) -> None:
        found[n] = agent.run(f"desk/{n}").outcome

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(N)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert found == dict.fromkeys(range(N), "success") and sorted(paid) == ALL


def test_scripted_requests_of_several_event_loops(agent: Agent, paid: list[str]) -> None:
    for n in range(2):
        assert asyncio.run(agent.arun(f"desk/{n}")).outcome == "success"
    assert agent.run("desk/2").outcome == "success"
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(asyncio.run(agent.arun("desk/3")).outcome))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert found == ["success"] * 2


async def test_scripted_closing_after_arun_inside_the_loop(
    tmp_path: Path, server: Server, paid: list[str]
) -> None:
    agent = Agent.from_config(
        store=tmp_path, embedder="hashing", model="openai:m", base_url=server.url
    )
    agent.add(tickets(paid))
    assert (await agent.arun("desk/1")).outcome == "success"
    agent.close()
    agent.close()


async def test_scripted_an_environment_that_has_one_instance_makes_the_second_episode_wait(
    agent: Agent, paid: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Functions, "another", lambda self: None)
    results = await asyncio.gather(agent.arun("desk/1"), agent.arun("desk/2"))
    assert [r.outcome for r in results] == ["success"] * 2 and sorted(paid) == ["ORD-1", "ORD-2"]
