"""Several requests at once: each is answered with its own data, whoever asks for them and from where."""

import asyncio
import gc
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lichen.agent import Agent
from lichen.envs import Functions, Request, Suite, Tool
from lichen.envs.errors import UsageError

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


async def test_scripted_learning_twice_at_once_is_two_runs(agent: Agent) -> None:
    suite = Suite(name="desk", env="desk", max_steps=3)
    one, other = await asyncio.gather(*(agent.alearn(suite, episodes=2) for _ in range(2)))
    assert one.run != other.run
    assert len({done.episode for done in (*one.episodes, *other.episodes)}) == 4


def test_scripted_a_closed_agent_says_so(agent: Agent) -> None:
    assert agent.run("desk/1").outcome == "success"
    agent.close()
    with pytest.raises(UsageError, match="the agent is closed"):
        agent.run("desk/1")
    with pytest.raises(UsageError, match="the agent is closed"):
        asyncio.run(agent.arun("desk/1"))
    with pytest.raises(UsageError, match="the store is closed"):
        agent.store.append([])


async def test_scripted_closing_while_a_run_is_awaited_is_said_by_that_run(agent: Agent) -> None:
    run = asyncio.create_task(agent.arun("desk/1"))
    await asyncio.sleep(0.1)
    agent.close()
    with pytest.raises(UsageError, match="closed while it ran"):
        await run


def test_scripted_closing_ends_the_runs_of_other_threads_which_say_so(agent: Agent) -> None:
    begun, found = threading.Event(), list[str]()

    def run() -> None:
        try:
            agent.run("desk/1", on_event=lambda *_: begun.set())
        except UsageError as error:
            found.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    assert begun.wait(timeout=30)
    agent.close()
    thread.join(timeout=30)
    assert found == ["the agent was closed while it ran"]


def test_scripted_closing_from_inside_its_own_run_is_refused(agent: Agent) -> None:
    with pytest.raises(UsageError, match="from inside its own run"):
        agent.run("desk/1", on_event=lambda *_: agent.close())
    assert agent.run("desk/2").outcome == "success"


def test_scripted_a_client_whose_event_loop_is_gone_makes_no_noise_in_another(
    agent: Agent,
) -> None:
    assert asyncio.run(agent.arun("desk/1")).outcome == "success"

    async def collected() -> list[dict[str, Any]]:
        noise: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, what: noise.append(what))
        agent.close()
        gc.collect()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        gc.collect()
        return noise

    assert asyncio.run(collected()) == []
