"""The async side of every door leaves the caller's event loop free (the model's replies are scripted).

No clock is read: whatever is slow (the model's server, the embedder, a write) goes on only when the caller's
loop has ticked meanwhile, and says so when it did not.
"""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("fastmcp")
pytest.importorskip("langchain_openai")

from fastmcp import Client
from langchain.agents import create_agent
from langchain_openai import ChatOpenAI
from langgraph.store.base import GetOp, Op, PutOp, SearchOp
from pydantic import SecretStr

from lichen.agent import Agent
from lichen.agent.doors.langchain_middleware import LichenMiddleware
from lichen.agent.doors.langgraph_store import LichenStore
from lichen.agent.doors.mcp_server import mcp_server
from lichen.agent.doors.mcp_skills import McpSkills
from lichen.agent.skill_actions.open_library import OpenLibrary
from lichen.envs.errors import UsageError
from lichen.memory import Memory, Store
from lichen.memory.likeness.embedder import HashingEmbedder
from lichen.skills import Library

Server = Any  # ScriptedServer of conftest.py
LONGEST = 10.0
"""Seconds after which a loop that does not tick is blocked."""


class Pulse:
    """Ticks of one event loop, and who waited for them in vain."""

    def __init__(self) -> None:
        self.waited: list[str] = []
        self.blocked: list[str] = []
        self._beaten = threading.Condition()
        self._ticks: int | None = None

    async def beat(self) -> None:
        """Tick for ever."""
        while True:
            with self._beaten:
                self._ticks = (self._ticks or 0) + 1
                self._beaten.notify_all()
            await asyncio.sleep(0.001)

    def wait(self, where: str) -> None:
        """Go on when the loop has ticked; where none beats, at once."""
        if (begun := self._ticks) is None or self.blocked:
            return
        self.waited.append(where)
        with self._beaten:
            if not self._beaten.wait_for(lambda: (self._ticks or 0) > begun + 1, LONGEST):
                self.blocked.append(where)


class SlowEmbedder(HashingEmbedder):
    """An embedder that waits for the loop."""

    def __init__(self, pulse: Pulse) -> None:
        super().__init__()
        self._pulse = pulse

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Wait, then encode."""
        self._pulse.wait("embedder")
        return super().encode(texts)


@pytest.fixture
async def pulse(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pulse]:
    made, append = Pulse(), Store.append

    def slow(self: Store, entries: Any) -> int:
        made.wait("write")
        return append(self, entries)

    monkeypatch.setattr(Store, "append", slow)
    yield made
    assert made.blocked == []


@pytest.fixture
def slow_model(loopback: Server, pulse: Pulse) -> Server:
    """Looks something up, then answers; slowly."""

    def reply(body: dict[str, Any]) -> Any:
        pulse.wait("model")
        if (probe := loopback.probed(body)) is not None:
            return probe
        if any(turn["role"] == "tool" for turn in body["messages"]):
            if body.get("stream"):
                return loopback.streamed({"content": "In Oslo."})
            return loopback.said("In Oslo.")
        return loopback.called(("find", {"order": 7}))

    loopback.answers(reply)
    return loopback


@pytest.fixture
def memory(tmp_path: Path, pulse: Pulse) -> Iterator[Memory]:
    with Memory(tmp_path / "memory", embedder=SlowEmbedder(pulse)) as opened:
        yield opened


async def free(pulse: Pulse, work: Any, *slow: str) -> Any:
    """Await work beside a loop that ticks, and return what it gave; all that is slow was met."""
    pulse.waited.clear()
    beating = asyncio.create_task(pulse.beat())
    await asyncio.sleep(0.01)
    try:
        done = await work
    finally:
        beating.cancel()
        pulse._ticks = None
    assert set(slow) <= set(pulse.waited)
    return done


async def test_scripted_an_agent_asks_streams_and_is_judged_beside_the_loop(
    tmp_path: Path, slow_model: Server, pulse: Pulse
) -> None:
    def find(order: int) -> str:
        "Find an order."
        pulse.wait("tool")
        return "in Oslo"

    def judge(request: str, answer: str) -> bool:
        pulse.wait("judge")
        return True

    async def streamed() -> list[Any]:
        return [event async for event in agent.astream("Where is 7?", user="acme/ann")]

    with Agent.from_config(
        store=tmp_path / "desk",
        embedder="hashing",
        model="openai:m",
        base_url=slow_model.url,
        tools=[find],
        judge=judge,
    ) as agent:
        met = ("model", "tool", "write", "judge")
        answer = await free(pulse, agent.aask("Where is 7?"), *met)
        assert answer.text == "In Oslo." and answer.outcome == "success"
        assert await free(pulse, streamed(), *met)
        await free(pulse, agent.afeedback(answer, good=False), "write")


async def test_a_store_of_langgraph_works_beside_the_loop(memory: Memory, pulse: Pulse) -> None:
    store = LichenStore(memory)
    put = PutOp(("users",), "ann", {"text": "green tea"})
    await free(pulse, store.abatch([put]), "embedder")
    ops: list[Op] = [GetOp(("users",), "ann"), SearchOp(("users",), query="which tea?")]
    got, found = await free(pulse, store.abatch(ops), "embedder")
    assert got.value == found[0].value == {"text": "green tea"}


async def test_scripted_a_middleware_recalls_and_remembers_beside_the_loop(
    memory: Memory, slow_model: Server, pulse: Pulse
) -> None:
    def find(order: int) -> str:
        "Find an order."
        return "in Oslo"

    model = ChatOpenAI(model="m", base_url=slow_model.url, api_key=SecretStr("none"))
    agent: Any = create_agent(
        model, [find], middleware=[LichenMiddleware(memory, judge=lambda asked, said: True)]
    )
    for order, met in ((7, "model"), (8, "embedder")):
        asked = {"messages": [("user", f"Where is {order}?")]}
        result = await free(pulse, agent.ainvoke(asked), met, "write")
    assert result["messages"][-1].text == "In Oslo."
    assert len(memory.store.episodes) == 2


async def test_the_tools_of_the_mcp_server_work_beside_the_loop(
    memory: Memory, pulse: Pulse
) -> None:
    async with Client(mcp_server(memory)) as client:

        async def call(tool: str, **given: Any) -> Any:
            return (await client.call_tool(tool, given)).structured_content

        steps = [{"tool": "find", "arguments": {"order": 7}, "answer": "in Oslo"}]
        told = await free(pulse, call("recall", situation="Where is 7?"), "write")
        await free(pulse, call("remember", id=told["id"], steps=steps), "write")
        await free(pulse, call("feedback", id=told["id"], good=True), "write")
        again = await free(pulse, call("recall", situation="Where is 8?"), "embedder", "write")
        assert again["items"]


async def test_who_looks_at_skills_waits_for_none_that_runs(
    memory: Memory, household_skills: Path, pulse: Pulse, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, goes_on, refresh = threading.Event(), threading.Event(), McpSkills.refresh

    def slow(self: McpSkills) -> None:
        pulse.wait("library")
        refresh(self)

    def environment(self: OpenLibrary, name: str) -> Any:
        begun.set()
        if not goes_on.wait(LONGEST):
            pulse.blocked.append("a look at the skills")
        raise UsageError("it was enough")

    monkeypatch.setattr(McpSkills, "refresh", slow)
    monkeypatch.setattr(OpenLibrary, "environment", environment)
    with contextlib.closing(McpSkills(household_skills, HashingEmbedder())) as skills:
        async with Client(mcp_server(memory, skills)) as client:
            known = next(s for s in Library(household_skills).all().values() if s.tests)
            given = {"name": known.name, "arguments": {}, "task": known.tests[0].task_id}
            runs = asyncio.create_task(client.call_tool("run_skill", given, raise_on_error=False))
            while not begun.is_set():
                await asyncio.sleep(0.001)
            found = client.call_tool("search_skills", {"query": known.description})
            assert (await free(pulse, found, "library")).data
            goes_on.set()
            assert (await runs).is_error
