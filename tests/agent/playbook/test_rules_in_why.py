"""What an episode's model had read of the playbook is known afterwards, as it was said then."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from lichen.agent.doors.inspector.seen.timeline import timeline
from lichen.agent.llm import ScriptedLLM
from lichen.agent.open_agent import OpenAgent
from lichen.memory.store.playbook import add_bullet, edit_bullet, take_out

TASK = "twx/mapreader/dev/1"


def first(prompt: str, options: Sequence[str]) -> list[float]:
    return [-float(number) for number in range(len(options))]


def test_why_tells_the_rules_that_were_read_as_they_were_said_then_scripted(tmp_path: Path) -> None:
    llm = ScriptedLLM([], first)
    with OpenAgent.from_config(None, llm=llm, store=tmp_path, embedder="hashing") as agent:
        before = agent.run(TASK, max_steps=2)
        kept = add_bullet(agent.store, "twx", "Read the map first.")
        gone = add_bullet(agent.store, "twx", "Take the coin.")
        with_both = agent.run(TASK, max_steps=2)
        edit_bullet(agent.store, kept.id, "Read the map twice.")
        take_out(agent.store, gone.id)
        with_one = agent.run(TASK, max_steps=2)
        pages = [timeline(agent.store, one.episode) for one in (before, with_both, with_one)]
    read = ["Read the map first.", "Take the coin."]
    assert [list(page.rules) for page in pages if page] == [[], read, ["Read the map twice."]]
    command = [sys.executable, "-m", "lichen.agent", "memory", "why", with_both.episode]
    told = subprocess.run(
        [*command, "--store", str(tmp_path), "--json", "why.json"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert "rule of the playbook: Read the map first." in " ".join(told.stdout.split()), told.stderr
    assert json.loads((tmp_path / "why.json").read_text())["playbook"] == read
