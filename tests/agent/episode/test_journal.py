"""A call with an effect outside is made once, also when the process is killed around it."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lichen.envs import UsageError
from lichen.envs.approval import Approval
from lichen.envs.errors import EnvironmentFault
from lichen.envs.journal import Noted, UnfinishedCall, once

Server = Any  # ScriptedServer of conftest.py

DESK = """
import os, sys
from pathlib import Path
from lichen.agent import Agent
from lichen.envs import Functions, Request, Tool

store, url, kill, settle = sys.argv[1:]
paid = Path(store).with_name("paid.txt")
looked = Path(store).with_name("looked.txt")

def find(order: str) -> str:
    "Find an order."
    looked.open("a").write(order + chr(10))
    return f"{order} costs 40"

def refund(order: str) -> str:
    "Pay money back."
    if kill == "before": os._exit(9)
    with paid.open("a") as file:
        file.write(order + chr(10)); file.flush()
    if kill == "inside": os._exit(9)
    return f"paid {order}"

def known(order: str) -> str | None:
    done = paid.exists() and order in paid.read_text()
    return f"paid {order}" if done else None

def node(name, change):
    if name == kill and paid.exists(): os._exit(9)

checks = Path(store).with_name("checks.txt")
def right(answer):
    checks.open("a").write("x")
    return answer == "done"

tool = Tool(refund, reconcile=known if settle == "reconcile" else None, idempotent=settle == "again")
with Agent.from_config(store=store, embedder="hashing", model="openai:m", base_url=url) as agent:
    agent.add(Functions("desk", [Tool(find), tool], [Request("1", "Refund ORD-1.", right)]))
    try:
        result = agent.run("desk/1", on_event=node, max_steps=6)
        print(result.outcome, result.reason)
    except Exception as error:
        print(type(error).__name__, error)
"""


@pytest.fixture
def server(loopback: Server) -> Server:
    """Finds the order, refunds it, finishes: by what the conversation holds."""

    def reply(body: dict[str, Any]) -> Any:
        if (probe := loopback.probed(body)) is not None:
            return probe
        told = " ".join(str(turn.get("content")) for turn in body["messages"])
        if "paid ORD-1" in told:
            return loopback.called(("finish", {"answer": "done"}))
        if "costs 40" in told:
            return loopback.called(("refund", {"order": "ORD-1"}))
        return loopback.called(("find", {"order": "ORD-1"}))

    loopback.answers(reply)
    return loopback


def desk(folder: Path, server: Server, kill: str = "never", settle: str = "no") -> str:
    done = subprocess.run(
        [sys.executable, "-c", DESK, str(folder / "store"), server.url, kill, settle],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == (9 if kill != "never" else 0), done.stdout + done.stderr
    return done.stdout.strip()


def lines(file: Path) -> list[str]:
    return file.read_text().split() if file.exists() else []


@pytest.mark.parametrize("node", ["act", "observe", "verify", "recall"])
def test_scripted_a_run_that_was_killed_after_a_refund_pays_once(
    tmp_path: Path, server: Server, node: str
) -> None:
    desk(tmp_path, server, kill=node)
    assert lines(tmp_path / "paid.txt") == ["ORD-1"]
    assert desk(tmp_path, server) == "success"
    assert lines(tmp_path / "paid.txt") == ["ORD-1"]
    assert lines(tmp_path / "looked.txt") == ["ORD-1"]  # reading was not done again either
    assert lines(tmp_path / "checks.txt") == ["x"]


@pytest.mark.parametrize("when", ["inside", "before"])
def test_scripted_a_call_that_was_cut_off_is_asked_about_and_not_made_again(
    tmp_path: Path, server: Server, when: str
) -> None:
    desk(tmp_path, server, kill=when)
    paid = lines(tmp_path / "paid.txt")
    for _ in range(2):
        said = desk(tmp_path, server)
        assert said.startswith("UnfinishedCall refund(order='ORD-1') was begun"), said
        assert lines(tmp_path / "paid.txt") == paid
    assert desk(tmp_path, server, settle="reconcile") == "success"
    assert lines(tmp_path / "paid.txt") == ["ORD-1"]


def test_scripted_an_idempotent_call_that_was_cut_off_is_made_again(
    tmp_path: Path, server: Server
) -> None:
    desk(tmp_path, server, kill="before")
    assert desk(tmp_path, server, settle="again") == "success"
    assert lines(tmp_path / "paid.txt") == ["ORD-1"]


class Notes(dict[int, Noted]):
    """A journal that is not durable."""

    def noted(self, number: int) -> Noted | None:
        return self.get(number)

    def begin(self, number: int, call: str) -> None:
        self[number] = Noted(call, None)

    def end(self, number: int, answer: str, error: str) -> None:
        self[number] = Noted(self[number].call, answer, error)

    def approval(self, number: int) -> Approval | None:
        return None


def refused() -> str:
    raise UsageError("no such order")


def never() -> str:
    raise AssertionError("it was made again")


def test_a_refusal_is_remembered_as_one() -> None:
    notes = Notes()
    for make in (refused, never):
        with pytest.raises(UsageError, match="no such order"):
            once(notes, 0, "find()", make)


def test_an_answer_is_read_and_another_call_of_the_same_number_is_a_fault() -> None:
    notes = Notes()
    assert once(notes, 0, "find()", lambda: "here") == once(notes, 0, "find()", never) == "here"
    with pytest.raises(EnvironmentFault, match=re.escape("was find(), and is now look()")):
        once(notes, 0, "look()", never)


def test_what_nobody_can_say_is_said() -> None:
    notes = Notes({0: Noted("pay()", None)})
    with pytest.raises(UnfinishedCall, match="not known whether it was done") as caught:
        once(notes, 0, "pay()", never)
    assert "reconcile=" in caught.value.hint
    assert once(notes, 0, "pay()", never, reconcile=lambda: "paid") == "paid"
    assert notes[0].answer == "paid"
