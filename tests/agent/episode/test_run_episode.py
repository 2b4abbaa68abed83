"""An episode that is killed or interrupted goes on, with nothing lost and nothing done twice."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from lichen.agent.llm import ScriptedLLM
from lichen.agent.open_agent import OpenAgent
from lichen.envs import make
from lichen.memory import Store
from lichen.memory.ledger.events import (
    EpisodeEnded,
    Recalled,
    RunStarted,
    Stepped,
)
from lichen.memory.likeness.embedder import HashingEmbedder
from lichen.memory.store.demonstrations import from_gold, import_demonstrations


def agent(folder: Path, llm: object = None, **options: object) -> OpenAgent:
    return OpenAgent.from_config(store=folder, embedder="hashing", llm=llm, **options)  # type: ignore[arg-type]


KILLED = """
import os, sys
from lichen.agent.open_agent import OpenAgent
from lichen.agent.llm import ScriptedLLM
from lichen.agent.episode.stage import Stage
steps = [0]
play = Stage.play
def counted(self, action):
    steps[0] += 1
    if steps[0] == int(sys.argv[2]):
        os.kill(os.getpid(), 9)
    return play(self, action)
Stage.play = counted
agent = OpenAgent.from_config(store=sys.argv[1], embedder="hashing", llm=ScriptedLLM())
agent.learn("alfworld-mini", episodes=2)
"""


@pytest.mark.parametrize("at", [1, 7, 33])
def test_a_run_killed_at_any_step_resumes_with_nothing_lost_and_nothing_done_twice(
    tmp_path: Path, at: int
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path / "killed"), str(at)], timeout=120
    )
    assert done.returncode == -signal.SIGKILL
    events = {}
    for name in ("killed", "whole"):
        with agent(tmp_path / name, ScriptedLLM()) as run:
            report = run.learn("alfworld-mini", episodes=2)
            assert [e.outcome for e in report.episodes if e.outcome == "unknown"] == []
            rows = [row for row in run.store.ledger.read() if not isinstance(row.event, RunStarted)]
            events[name] = [(row.key, row.event) for row in rows]
    assert events["killed"] == events["whole"]
    steps = [e.step for _, e in events["killed"] if isinstance(e, Stepped)]
    assert len([s for s in steps if s == 0]) == 2


def test_ctrl_c_keeps_what_was_done_and_the_same_command_continues(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "lichen.agent",
        "run",
        "twx-mapreader",
        "-n",
        "4",
        "--store",
        str(tmp_path),
    ]
    command += ["--set", "policy.llm=false", "--set", "embedder=hashing"]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        ledger = tmp_path / "ledger.sqlite"
        for _ in range(300):
            if ledger.exists() and _ended(tmp_path) >= 1:
                break
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "the same command continues" in said
    assert "Traceback" not in said
    before = _ended(tmp_path)
    assert before >= 1
    done = subprocess.run([*command, "--json", "-"], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found["episodes"]) == 4
    assert found["resumed"] >= before
    assert all(e["outcome"] != "unknown" for e in found["episodes"])


def _ended(folder: Path) -> int:
    from lichen.memory.ledger.ledger import open_ledger

    try:
        return sum(isinstance(row.event, EpisodeEnded) for row in open_ledger(folder).read())
    except Exception:  # the store is being made
        return 0


DIES_WHILE_THE_MODEL_THINKS = """
import asyncio, os, sys
from lichen.agent.open_agent import OpenAgent
from lichen.agent.llm import ScriptedLLM
class Dies(ScriptedLLM):
    asked = 0
    async def choose(self, prompt, options):
        self.asked += 1
        if self.asked == 3:
            await asyncio.sleep(0.5)  # the checkpoint of the node before is being written
            os.kill(os.getpid(), int(sys.argv[2]))
            await asyncio.sleep(5)
        return await super().choose(prompt, options)
options = {"retriever": {"same_task": True}}
with OpenAgent.from_config(store=sys.argv[1], embedder="hashing", llm=Dies(), **options) as agent:
    agent.learn("alfworld-mini", episodes=1)
"""


async def interrupted() -> np.ndarray:
    """Ctrl-C, while something is awaited."""
    os.kill(os.getpid(), signal.SIGINT)
    await asyncio.sleep(5)
    raise AssertionError("nobody heard the interrupt")


def demonstrated(folder: Path) -> None:
    with Store(folder, embedder=HashingEmbedder()) as store:
        environment = make("alfworld-mini")
        ids = [task.id for task in environment.tasks("train")]
        import_demonstrations(store, from_gold(environment, ids), run="gold")


@pytest.mark.parametrize("ends", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_died_while_the_model_thought_goes_on_with_its_memory(
    tmp_path: Path, ends: signal.Signals
) -> None:
    for name in ("died", "whole"):
        demonstrated(tmp_path / name)
    done = subprocess.run(
        [sys.executable, "-c", DIES_WHILE_THE_MODEL_THINKS, str(tmp_path / "died"), str(int(ends))],
        timeout=120,
        capture_output=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert done.returncode != 0
    events, results = {}, {}
    for name in ("died", "whole"):
        seen = {"same_task": True}  # the task is among the demonstrations
        with agent(tmp_path / name, ScriptedLLM(), retriever=seen) as run:
            results[name] = run.learn("alfworld-mini", episodes=1).episodes
            events[name] = [
                (row.key, row.event)
                for row in run.store.ledger.read()
                if not isinstance(row.event, RunStarted)
            ]
    assert events["died"] == events["whole"]
    assert results["died"] == results["whole"]  # also the mean KL, over all steps
    recalled = [event for _, event in events["died"] if isinstance(event, Recalled)]
    assert all(event.shown for event in recalled)
