"""A held-out evaluation: arms, resume, report, picture."""

import json
import sys
from pathlib import Path

import pytest

from lichen.agent.lab.heldout.episode_row import EpisodeRow
from lichen.agent.lab.heldout.heldout_report import Report
from lichen.agent.lab.heldout.heldout_run import HeldOutPlan, Silent, evaluate
from lichen.agent.lab.heldout.learning_curve import draw, write_page
from lichen.agent.lab.heldout.policy_arms import find_arms
from lichen.agent.lab.kernel.rows import RowFile
from lichen.agent.llm import ScriptedLLM
from lichen.agent.open_agent import OpenAgent
from lichen.envs import UnknownName, UsageError, load_suite
from lichen.envs.errors import BadFile

LICHEN = [sys.executable, "-m", "lichen.agent"]


def plan(**changes: object) -> HeldOutPlan:
    suite = load_suite("alfworld-mini").model_copy(update={"max_steps": 12})
    values: dict[str, object] = {
        "suite": suite,
        "arms": tuple(find_arms(["none", "placebo", "knn", "memory"])),
        "checkpoints": (0, 10),
        "learn": "demonstrations",
        "split": "test",
        "tasks": 4,
        "seed": 0,
    }
    return HeldOutPlan.model_validate({**values, **changes})


def evaluated(folder: Path, **changes: object) -> Report:
    with OpenAgent.from_config(store=folder, embedder="hashing", llm=ScriptedLLM()) as agent:
        return evaluate(agent, plan(**changes), folder)


def test_every_arm_is_run_paired_and_memory_beats_the_controls_with_a_scripted_model(
    tmp_path: Path,
) -> None:
    report = evaluated(tmp_path)
    assert {arm: sorted(cells) for arm, cells in report.arms.items()} == {
        "none": [0],
        "placebo": [0, 10],
        "knn": [0, 10],
        "memory": [0, 10],
    }
    assert report.arms["memory"][10].success > report.arms["none"][0].success
    assert report.arms["memory"][10].success > report.arms["placebo"][10].success
    assert {c.b for c in report.contrasts} == {"none", "placebo", "knn"}
    assert all(c.n == 4 for c in report.contrasts)
    assert report.fingerprint == {"before": "scripted", "after": "scripted"}
    assert "did not change" in report.sentence()
    again = evaluated(tmp_path)  # nothing is left to do, nothing is done twice
    assert again.model_dump(exclude={"seconds"}) == report.model_dump(exclude={"seconds"})
    draw(report, tmp_path / "curve.png")
    write_page(report, tmp_path / "curve.png", tmp_path / "report.html")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    page = (tmp_path / "report.html").read_text()
    assert "data:image/png;base64," in page
    assert "http://" not in page and "https://" not in page


def test_an_interrupted_evaluation_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    class Stop(Silent):
        def evaluating(self, done: int, of: int, row: EpisodeRow) -> None:
            if done == 9:
                raise KeyboardInterrupt

    with (
        OpenAgent.from_config(store=tmp_path / "a", embedder="hashing", llm=ScriptedLLM()) as agent,
        pytest.raises(KeyboardInterrupt),
    ):
        evaluate(agent, plan(), tmp_path / "a", Stop())
    rows = (tmp_path / "a" / "rows.jsonl").read_text().splitlines()
    assert len(rows) == 10
    (tmp_path / "a" / "rows.jsonl").write_text(
        "\n".join(rows) + '\n{"arm": "mem'
    )  # a torn last line
    first, whole = evaluated(tmp_path / "a"), evaluated(tmp_path / "b")
    assert first.model_dump(exclude={"seconds"}) == whole.model_dump(exclude={"seconds"})


def test_rows_of_other_settings_are_not_mixed_in(tmp_path: Path) -> None:
    evaluated(tmp_path, tasks=1)
    with pytest.raises(UsageError, match="other settings"):
        evaluated(tmp_path, seed=1)
    lines = (tmp_path / "rows.jsonl").read_text().splitlines()
    (tmp_path / "rows.jsonl").write_text("\n".join([lines[0], "garbage", *lines[1:]]) + "\n")
    with pytest.raises(BadFile, match="line 2"):
        RowFile(
            tmp_path / "rows.jsonl",
            json.loads(lines[0])["evaluation"],
            EpisodeRow.model_validate_json,
        )


def test_the_train_split_and_unknown_arms_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="train split"):
        evaluated(tmp_path, split="train")
    with pytest.raises(UnknownName, match="did you mean 'memory'"):
        find_arms(["memoy"])
