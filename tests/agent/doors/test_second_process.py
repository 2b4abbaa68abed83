"""One process writes to a store: by whichever door another comes, it is told so in one sentence."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("fastmcp")

from lichen.agent.doors.langgraph_store import LichenStore
from lichen.memory import Memory
from lichen.memory.ledger.errors import StoreInUse
from lichen.memory.likeness.embedder import HashingEmbedder

DOORS = """
import json, sys
from lichen.agent import Agent, ScriptedLLM
from lichen.agent.doors.langgraph_store import LichenStore
from lichen.envs.errors import LichenError
from lichen.memory import Memory
from lichen.memory.likeness.embedder import HashingEmbedder

store, said = sys.argv[1], {}
for name, door in {
    "agent": lambda: Agent.from_config(store=store, embedder="hashing", llm=ScriptedLLM()),
    "memory": lambda: Memory(store, embedder=HashingEmbedder()),
    "langgraph": lambda: LichenStore(store),
}.items():
    try:
        door()
    except LichenError as error:
        said[name] = f"{error}. {error.hint}"
with Memory(store, embedder=HashingEmbedder(), read_only=True) as looked_at:
    said["seen"] = str(len(looked_at.store.episodes))
print(json.dumps(said))
"""
WORDS = ["--store", "desk", "--set", "embedder=hashing"]


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    with Memory(tmp_path / "desk", embedder=HashingEmbedder()) as memory:
        memory.remember("where is it?", [{"tool": "find", "answer": "Oslo"}], outcome="success")
    return tmp_path / "desk"


def test_every_door_says_who_holds_the_store_and_what_to_do(desk: Path) -> None:
    with Memory(desk, embedder=HashingEmbedder()) as held:
        done = subprocess.run(
            [sys.executable, "-c", DOORS, str(desk)], capture_output=True, text=True, timeout=120
        )
        said = json.loads(done.stdout)
        assert said.pop("seen") == "1"
        assert sorted(said) == ["agent", "langgraph", "memory"]
        for sentence in said.values():
            assert f"in use by process {os.getpid()}" in sentence
            assert "`lichen serve`" in sentence and "read_only" in sentence
        assert held.recall("where is it?").items


@pytest.mark.parametrize("command", ["mcp", "serve"])
def test_a_command_says_it_in_one_sentence_too(desk: Path, command: str) -> None:
    with Memory(desk, embedder=HashingEmbedder()):
        done = subprocess.run(
            [sys.executable, "-m", "lichen.agent", command, *WORDS],
            cwd=desk.parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
    said = re.sub(r"\s+", " ", done.stderr)
    assert done.returncode == 2 and done.stdout == "" and "Traceback" not in said
    assert f"in use by process {os.getpid()}" in said and "`lichen serve`" in said


def test_a_second_door_of_one_process_is_told_to_share(desk: Path) -> None:
    with Memory(desk, embedder=HashingEmbedder()) as memory:
        with pytest.raises(StoreInUse, match="in this process already") as caught:
            LichenStore(desk)
        assert "LichenStore(memory)" in caught.value.hint
        assert LichenStore(memory).list_namespaces() == []
