"""Fixtures: a shop as a real MCP server process, whose tools a file describes."""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lichen.agent import Agent, McpServer

SHOP = """
import os, sys, threading, time
from fastmcp import FastMCP

mcp = FastMCP("shop")
strict = "strict" in sys.argv

if strict:
    @mcp.tool(name="find-order")
    def find(order: int, country: str = "no") -> str:
        "Say where an order is."
        return f"order {order} is in Oslo"
else:
    @mcp.tool(name="find-order", annotations={"readOnlyHint": True})
    def find(order: int) -> str:
        "Say where an order is."
        if order == 0:
            raise ValueError("orders begin at 1")
        if order == 13:
            os._exit(3)
        if order == 15:
            threading.Timer(0.1, os._exit, [3]).start()
        if order == 14:
            time.sleep(30)
        return f"order {order} is in Oslo, says {os.environ.get('SHOP', 'nobody')}"

@mcp.tool
def refund(order: int) -> str:
    "Pay money back."
    return f"paid {order}"

mcp.run(show_banner=False)
"""
Server = Any
Make = Callable[..., Agent]


@pytest.fixture
def shop(tmp_path: Path) -> Callable[..., McpServer]:
    """Describe the server; `strict`: one of its tools has another schema."""
    file = tmp_path / "shop.py"
    file.write_text(SHOP)

    def made(*args: str, **more: Any) -> McpServer:
        return McpServer(command=sys.executable, args=(str(file), *args), **more)

    return made


@pytest.fixture
def make(tmp_path: Path, loopback: Server) -> Iterator[Make]:
    """Make agents whose model calls `refund` to pay, and else looks the order up."""

    def reply(body: dict[str, Any]) -> Any:
        if (probe := loopback.probed(body)) is not None:
            return probe
        turns = body["messages"]
        asked = re.findall(r"Task: (.*)", turns[1]["content"])[-1]
        results = [turn["content"] for turn in turns if turn["role"] == "tool"]
        number = re.search(r"\d+", asked)
        if number and not results:
            tool = "refund" if "pay" in asked else "find_order"
            return loopback.called((tool, {"order": int(number[0])}))
        return loopback.said(f"I found: {results[-1].splitlines()[0]}" if results else "Hello.")

    loopback.answers(reply)
    opened: list[Agent] = []

    def made(**more: Any) -> Agent:
        given: dict[str, Any] = {"store": tmp_path / "desk", "embedder": "hashing"} | more
        agent = Agent.from_config(model="openai:m", base_url=loopback.url, **given)
        opened.append(agent)
        return agent

    yield made
    for agent in opened:
        agent.close()
