"""Verdicts: a judge where there is no check, and what its word is worth where there is one."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from lichen.agent.llm import ScriptedLLM
from lichen.agent.open_agent import OpenAgent
from lichen.envs import Functions, Request, Tool, load_suite
from lichen.memory.ledger.events import (
    EpisodeEnded,
    Judged,
)

LICHEN = [sys.executable, "-m", "lichen.agent"]


def agent(folder: Path, llm: object = None, **options: object) -> OpenAgent:
    return OpenAgent.from_config(store=folder, embedder="hashing", llm=llm, **options)  # type: ignore[arg-type]


def lichen(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*LICHEN, *map(str, arguments)], capture_output=True, text=True, timeout=120
    )


def add(a: int, b: int) -> int:
    """Add two numbers, but no unlucky one."""
    if a == 13:
        raise ValueError("13 is unlucky")
    return a + b


def test_recorded_verdicts_judge_what_no_check_can_and_are_checked_where_one_can(
    tmp_path: Path,
) -> None:
    open_ended = Functions("poems", [Tool(add)], [Request("1", "Write about 'spring'.")])
    replies = [
        "I write no call.",
        '{"solved": true, "critique": "fine"}',
        "Nor do I here.",
        "no verdict at all",
        "nor now",
    ]

    def finishes(_: str, options: Sequence[str]) -> list[float]:
        return [0.0 if "finish(answer='spring')" in option else -9.0 for option in options]

    llm = ScriptedLLM(replies, choose=finishes)
    outcomes = []
    for _ in range(2):
        with agent(tmp_path, llm) as run:
            run.add(open_ended)
            outcomes.append(run.run("poems/1").outcome)
            ended = [r.event for r in run.store.ledger.read() if isinstance(r.event, EpisodeEnded)]
            run.environments._open.clear()
    assert outcomes == ["success", "unknown"]
    assert [event.judge for event in ended] == ["critic", "critic"]

    planned = ['{"subtasks": ["look"]}', *['{"status": "going", "critique": "on"}'] * 2]
    llm = ScriptedLLM([*planned, '{"solved": true, "critique": "surely"}'])
    suite = load_suite("alfworld-mini").model_copy(update={"max_steps": 3})
    with agent(tmp_path / "other", llm, planner="plan") as run:
        run.learn(suite, episodes=1)
        judged = [r.event for r in run.store.ledger.read() if isinstance(r.event, Judged)]
        assert (judged[0].said, judged[0].truth) == (True, False)
        assert run.store.fold.judge.wrong_yes == 1
