"""Fixtures: an agent over a scripted model, behind HTTP in this process and in one of its own."""

import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn

from lichen.agent import Agent, asgi_app
from lichen.envs import EnvironmentFault, Tool

Server = Any  # ScriptedServer of tests/agent/conftest.py


def find_order(order: int) -> str:
    "Say where an order is."
    if order == 13:
        raise EnvironmentFault("the shop is down")
    return f"order {order} is in Oslo"


def refund(order: int) -> str:
    "Pay money back."
    return f"paid {order}"


@pytest.fixture
def model(loopback: Server) -> Server:
    """Looks up the order of a request by the first tool that it is told of, then says what it found."""

    def reply(body: dict[str, Any]) -> Any:
        if (probe := loopback.probed(body)) is not None:
            return probe
        turns = body["messages"]
        asked = re.findall(r"Task: (.*)", turns[1]["content"])[-1]
        results = [turn["content"] for turn in turns if turn["role"] == "tool"]
        offered = [tool["function"]["name"] for tool in body.get("tools", ())]
        number = re.search(r"\d+", asked)
        if "twice" in asked and len(results) == 1:
            return loopback.called((offered[0], {"order": 2}))
        if number and offered and not results:
            tool = "refund" if "refund" in offered and "pay" in asked else offered[0]
            return loopback.called((tool, {"order": int(number[0])}))
        said = f"I found: {results[-1].splitlines()[0]}" if results else "Hello."
        if body.get("stream"):
            return loopback.streamed(*({"content": part} for part in re.findall(r"\S+\s*", said)))
        return loopback.said(said)

    loopback.answers(reply)
    return loopback


@pytest.fixture
def agent(tmp_path: Path, model: Server) -> Iterator[Agent]:
    """An agent with tools of its own."""
    tools: list[Any] = [find_order, Tool(refund, needs_approval=True)]
    with Agent.from_config(
        store=tmp_path / "desk",
        embedder="hashing",
        model="openai:m",
        base_url=model.url,
        tools=tools,
        instructions="You are our help desk.",
    ) as made:
        yield made


@contextmanager
def running(app: Any) -> Iterator[str]:
    """Serve an app in a thread, and yield its address."""
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, log_level="warning", lifespan="off", access_log=False)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(timeout=30)


@pytest.fixture
def served(agent: Agent) -> Iterator[str]:
    """The address of the agent, without keys."""
    with running(asgi_app(agent)) as url:
        yield url


Spawn = Callable[..., tuple[subprocess.Popen[str], str]]


@pytest.fixture
def spawn(tmp_path: Path, model: Server) -> Iterator[Spawn]:
    """Run `lichen serve` in a process of its own; yields (process, address)."""
    begun: list[subprocess.Popen[str]] = []

    def start(*more: str, store: str = "desk") -> tuple[subprocess.Popen[str], str]:
        words = ["serve", "--port", "0", "--store", str(tmp_path / store), "--model", "openai:m"]
        words += ["--base-url", model.url, "--set", "embedder=hashing", *more]
        process = subprocess.Popen(
            [sys.executable, "-m", "lichen.agent", *words],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            text=True,
        )
        begun.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://\S+?:\d+", line)
        assert found is not None, line
        url = found[0]
        while True:
            try:
                httpx2.get(f"{url}/health")
                return process, url
            except httpx2.TransportError:
                time.sleep(0.02)

    yield start
    for process in begun:
        process.kill()
        process.wait()
