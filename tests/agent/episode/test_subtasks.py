"""Subtasks are durable, and a new plan is shown what worked elsewhere."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from lichen.agent.llm import ScriptedLLM
from lichen.agent.open_agent import OpenAgent
from lichen.envs import load_suite, make
from lichen.memory.ledger.events import (
    Planned,
    Recalled,
    SubtaskEnded,
)

LICHEN = [sys.executable, "-m", "lichen.agent"]


def agent(folder: Path, llm: object = None, **options: object) -> OpenAgent:
    return OpenAgent.from_config(store=folder, embedder="hashing", llm=llm, **options)  # type: ignore[arg-type]


def lichen(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*LICHEN, *map(str, arguments)], capture_output=True, text=True, timeout=120
    )


def test_recorded_subtasks_are_durable_and_a_new_plan_is_shown_what_worked_elsewhere(
    tmp_path: Path,
) -> None:
    environment = make("alfworld-mini")
    train = [t.id for t in environment.tasks("train") if "simple" in t.id]
    test = next(t.id for t in environment.tasks("test") if "simple" in t.id)

    def following(task: str) -> object:
        environment.reset(task)
        gold, turn = list(environment.gold() or ()), [0]

        def follow(prompt: str, options: Sequence[str]) -> list[float]:
            wanted = gold[turn[0]] if turn[0] < len(gold) else ""
            turn[0] += any(option.strip() == wanted for option in options)
            return [0.0 if option.strip() == wanted else -30.0 for option in options]

        return follow

    def verdict(status: str) -> str:
        return json.dumps({"status": status, "critique": f"it is {status}"})

    replies = ['{"subtasks": ["find it", "store it"]}', verdict("done"), verdict("stuck")]
    replies += ['{"subtasks": ["try again", "put it in"]}'] + [verdict("going")] * 10
    dials = {
        "value": False,
        "explore": {"temperature": 0, "optimism": 0},
    }
    options = {"planner": "plan", "policy": dials, "retriever": {"delta": 0.0, "holdout": 0.0}}
    suite = load_suite("alfworld-mini")
    learned = suite.task_ids("train", 1)[0]
    with agent(tmp_path, ScriptedLLM(replies, choose=following(learned)), **options) as run:  # type: ignore[arg-type]
        run.learn("alfworld-mini", episodes=1)
        ended = [r.event for r in run.store.ledger.read() if isinstance(r.event, SubtaskEnded)]
        kept = list(run.store.subtasks.values())
    assert train and [(e.text, e.outcome, e.judge) for e in ended[:2]] == [
        ("find it", "success", "critic"),
        ("store it", "failure", "critic"),
    ]
    assert (ended[-1].text, ended[-1].attempt, ended[-1].judge) == ("try again", 1, "environment")
    assert [c.text for c in kept] == ["find it", "store it", "try again"]
    assert [c.attempt for c in kept] == [0, 0, 1] and all(c.actions for c in kept)
    replies = ['{"subtasks": ["find it", "store it"]}'] + [verdict("stuck")]
    replies += ['{"subtasks": ["other way"]}'] + [verdict("going")] * 30
    llm = ScriptedLLM(replies, choose=following(test))  # type: ignore[arg-type]
    with agent(tmp_path, llm, **options) as run:
        result = run.run(test)
        reads = [
            r.event
            for r in run.store.ledger.read(episode=result.episode)
            if isinstance(r.event, Recalled) and r.event.grain == "episodes"
        ]
        plans = [
            r.event
            for r in run.store.ledger.read(episode=result.episode)
            if isinstance(r.event, Planned)
        ]
    assert len(plans) == 2 and len(reads) == 2 and reads[0].shown
    asked = [prompt for prompt in llm.prompts if "Decompose the task" in prompt]
    assert "A subtask that worked elsewhere: find it" in asked[0]
    assert "A subtask that did NOT work elsewhere: store it" in asked[0]
    assert "Given up: find it" in asked[1]
    assert any("elsewhere done by:" in prompt for prompt in llm.prompts)
