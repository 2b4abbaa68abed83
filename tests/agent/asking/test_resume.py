"""A request that a kill cut off goes on in another process (the model's replies are scripted)."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lichen.agent import Agent
from lichen.agent.asking.telling import Telling
from lichen.envs import Tool
from lichen.memory import Store
from lichen.memory.ledger.events import EpisodeStarted

Server = Any  # ScriptedServer of conftest.py
_KILLED = """
import os, sys
from lichen.agent import Agent
from lichen.envs import Tool

def look(order: int) -> str:
    "Look."
    return "there"

def refund(order: int) -> str:
    "Pay back."
    open(sys.argv[3], "a").write("paid")
    os._exit(9)

tools = [look, Tool(refund, reconcile=lambda order: "paid")]
with Agent.from_config(
    store=sys.argv[1], embedder="hashing", model="openai:m", base_url=sys.argv[2], tools=tools
) as agent:
    agent.ask("pay 7 back", user="acme/ann", thread="t")
"""


@pytest.fixture
def server(loopback: Server) -> Server:
    def reply(body: dict[str, Any]) -> Any:
        if (probe := loopback.probed(body)) is not None:
            return probe
        done = len([turn for turn in body["messages"] if turn["role"] == "tool"])
        steps = [("look", {"order": 7}), ("refund", {"order": 7})]
        return loopback.called(steps[done]) if done < 2 else loopback.said("It is paid back.")

    loopback.answers(reply)
    return loopback


@pytest.mark.parametrize("way", ["resume", "ask again"])
def test_scripted_what_was_called_is_not_called_again_and_the_answer_comes(
    server: Server, tmp_path: Path, way: str
) -> None:
    store, paid = tmp_path / "desk", tmp_path / "paid"
    words = [sys.executable, "-c", _KILLED, str(store), server.url, str(paid)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 9, done.stderr
    with Store(store, read_only=True) as left:
        (episode,) = {
            row.episode for row in left.ledger.read() if isinstance(row.event, EpisodeStarted)
        }

    def look(order: int) -> str:
        "Look."
        raise AssertionError("it was called already")

    def refund(order: int) -> str:
        "Pay back."
        raise AssertionError("it was called already")

    tools: list[Any] = [look, Tool(refund, reconcile=lambda order: "paid")]
    with Agent.from_config(
        store=store, embedder="hashing", model="openai:m", base_url=server.url, tools=tools
    ) as agent:
        if way == "resume":
            answer = agent.resume(episode)
        else:  # the same words in the same conversation
            answer = agent.ask("pay 7 back", user="acme/ann", thread="t")
            assert answer.id == episode
        assert answer.text == "It is paid back." and paid.read_text() == "paid"
        assert (answer.namespace, answer.thread) == ("acme/ann", "t")
        agent.feedback(answer, good=True)
        (case,) = agent.store.episodes.values()
        assert len(case.actions) == 3 and case.namespace == "acme/ann"


def test_what_a_kill_took_from_a_node_is_not_told_and_the_request_goes_on() -> None:
    told: list[Any] = []
    telling = Telling(told.append)
    telling.node("recall", {})  # its recalled cases were in no checkpoint
    telling.node("assist", {})
    telling.node("text", {"text": "It is paid back."})
    assert [type(event).__name__ for event in told] == ["TextDelta"]
