"""The commands about tools, contracts and whole runs."""

import json
import subprocess
import sys
from pathlib import Path

from lichen.agent.open_agent import OpenAgent
from lichen.envs import make
from lichen.memory.credit.channel_weights import CHANNELS
from lichen.memory.store.demonstrations import from_gold, import_demonstrations

LICHEN = [sys.executable, "-m", "lichen.agent"]


def agent(folder: Path, llm: object = None, **options: object) -> OpenAgent:
    return OpenAgent.from_config(store=folder, embedder="hashing", llm=llm, **options)  # type: ignore[arg-type]


def lichen(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*LICHEN, *map(str, arguments)], capture_output=True, text=True, timeout=120
    )


def test_the_commands_about_tools_contracts_and_whole_runs(tmp_path: Path) -> None:
    environment = make("alfworld-mini")
    with agent(tmp_path, policy={"llm": False}) as run:
        ids = [task.id for task in environment.tasks("train")][:4]
        import_demonstrations(run.store, from_gold(environment, ids), run="gold")
        episode = run.run(environment.tasks("test")[0].id, max_steps=3).episode
    tools = json.loads(lichen("memory", "tools", "--store", tmp_path, "--json", "-").stdout)
    assert {"go", "take"} <= {record["tool"] for record in tools["tools"]}
    why = json.loads(lichen("memory", "why", episode, "--store", tmp_path, "--json", "-").stdout)
    assert [one["step"] for one in why["steps"]] == [0, 1, 2]
    item = why["steps"][0]["reads"][0]["items"][0]
    assert item["trust"] == "verified" and item["reason"] == "above the gate"
    assert why["trust"]["value"] > 0 and set(why["steps"][0]["said"]) == set(CHANNELS)
    shown = lichen("memory", "why", episode, "1", "--store", tmp_path)
    assert shown.returncode == 0 and "near" in shown.stdout and "uplift" in shown.stdout
    assert "for it, in nats: " in shown.stdout and "Weights in nats: first 0.00" in shown.stdout
    assert lichen("memory", "why", "nothing", "--store", tmp_path).returncode == 2
    fine = lichen("memory", "doctor", "--store", tmp_path)
    assert fine.returncode == 0 and "Every tool" in fine.stdout
    again = lichen("memory", "reverify", "--store", tmp_path)
    assert again.returncode == 0 and "0 of 0" in again.stdout
    listed = lichen("memory", "ls", "--grain", "subtasks", "--store", tmp_path)
    assert listed.returncode == 0
