"""Logs for inspect_ai, read again by inspect_ai itself."""

from pathlib import Path

import pytest

from lichen.agent.lab.heldout.episode_row import EpisodeRow
from lichen.agent.lab.heldout.heldout_run import ROWS, HeldOutPlan, evaluate
from lichen.agent.lab.heldout.inspect_log import write_inspect_logs
from lichen.agent.lab.heldout.policy_arms import find_arms
from lichen.agent.lab.kernel.rows import rows_in
from lichen.agent.open_agent import OpenAgent
from lichen.envs.suite import load_suite

log = pytest.importorskip("inspect_ai.log", reason="inspect_ai is not installed")


def test_an_evaluation_is_read_by_inspect_as_it_went(tmp_path: Path) -> None:
    plan = HeldOutPlan(
        suite=load_suite("alfworld-mini"),
        arms=tuple(find_arms(["knn", "placebo"])),
        checkpoints=(0, 4),
        learn="demonstrations",
        split="test",
        tasks=2,
        seed=0,
    )
    with OpenAgent.from_config(store=tmp_path / "eval", policy={"llm": False}) as agent:
        report = evaluate(agent, plan, tmp_path / "eval")
        rows = rows_in(tmp_path / "eval" / ROWS, EpisodeRow)
        files = write_inspect_logs(report, rows, agent.store.ledger, tmp_path / "logs")
    assert len(files) == 4
    read = log.read_eval_log(str(tmp_path / "logs" / "alfworld-mini-knn-4.eval"))
    assert read.status == "success" and read.eval.metadata["learned"] == 4
    by_task = {row.task_id: row for row in rows if (row.arm, row.checkpoint) == ("knn", 4)}
    for sample in read.samples:
        row = by_task[sample.id]
        assert sample.scores["success"].value == ("C" if row.outcome == "success" else "I")
        calls = [turn for turn in sample.messages if turn.role == "assistant"]
        assert len(calls) == row.steps
        answers = [turn for turn in sample.messages if turn.role == "tool"]
        assert len(answers) == row.steps and sample.input.startswith("Your task is to")
    assert read.results.scores[0].metrics["mean"].value == report.arms["knn"][4].success
