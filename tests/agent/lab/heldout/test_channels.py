"""Arms that leave a channel out, and the arm that spends the tokens of memory."""

import subprocess
import sys
from pathlib import Path

import pytest

from lichen.agent.lab.heldout.heldout_run import HeldOutPlan, evaluate
from lichen.agent.lab.heldout.policy_arms import find_arms
from lichen.agent.llm import ScriptedLLM
from lichen.agent.open_agent import OpenAgent
from lichen.envs import UsageError, load_suite

LICHEN = [sys.executable, "-m", "lichen.agent"]


def agent(folder: Path, llm: object = None, **options: object) -> OpenAgent:
    return OpenAgent.from_config(store=folder, embedder="hashing", llm=llm, **options)  # type: ignore[arg-type]


def lichen(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*LICHEN, *map(str, arguments)], capture_output=True, text=True, timeout=120
    )


def test_ablation_arms_and_the_budget_are_run_with_a_scripted_model(tmp_path: Path) -> None:
    names = ["none", "memory", "-value", "-context", "-gate", "-tools", "budget"]
    suite = load_suite("alfworld-mini").model_copy(update={"max_steps": 8})
    plan = HeldOutPlan(
        suite=suite,
        arms=tuple(find_arms(names)),
        checkpoints=(8,),
        learn="demonstrations",
        split="test",
        tasks=2,
        seed=0,
    )
    with agent(tmp_path, ScriptedLLM()) as run:
        report = evaluate(run, plan, tmp_path)
    assert list(report.arms) == names
    assert all(cell.n == 2 for cells in report.arms.values() for cell in cells.values())
    none = next(c for c in report.contrasts if c.b == "none")
    assert 0 <= none.lost <= 1
    with pytest.raises(UsageError, match="budget"):
        find_arms(["memory", "budget"])
