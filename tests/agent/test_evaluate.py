"""Evaluation: arms, resume, statistics, report, picture; and the commands with bad input."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from lichen.agent.lab.heldout.arms import find_arms
from lichen.agent.lab.heldout.episode_row import EpisodeRow
from lichen.agent.lab.heldout.evaluation import HeldOutPlan, Silent, evaluate
from lichen.agent.lab.heldout.picture import draw, write_page
from lichen.agent.lab.heldout.report import Report
from lichen.agent.lab.kernel.rows import RowFile
from lichen.agent.llm import ScriptedLLM
from lichen.agent.open_agent import OpenAgent
from lichen.envs import UnknownName, UsageError, load_suite
from lichen.envs.errors import BadFile
from lichen.memory import Store
from lichen.memory.credit.intervals import estimate
from lichen.memory.likeness.embedder import HashingEmbedder

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


def test_the_interval_covers_the_mean_and_shrinks_with_tasks() -> None:
    few = estimate([0.0, 1.0] * 5, seed=0)
    many = estimate([0.0, 1.0] * 50, seed=0)
    assert few.low < few.mean == 0.5 < few.high
    assert many.high - many.low < few.high - few.low
    assert many.low == pytest.approx(0.4, abs=0.03)
    assert estimate([0.0, 1.0] * 5, seed=0) == few


def lichen(
    *arguments: str, cwd: Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*LICHEN, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **(env or {})},
    )


BAD: Sequence[tuple[list[str], str]] = [
    (["run", "dmeo"], "no suite 'dmeo'"),
    (["run", "twxx/coin/dev/1"], "no environment 'twxx'"),
    (["run", "alfworld-mini/test/nothing/here"], "no task"),
    (["run", "alfworld-mini", "-n", "0"], "0 episodes"),
    (["run", "alfworld-mini", "-n", "1", "--model", "nothing"], "no model 'nothing'"),
    (["run", "alfworld-mini", "--set", "policy.betta=1"], "policy.betta"),
    (["run", "alfworld-mini", "--config", "none.toml"], "no settings file"),
    (["run", "alfworld", "-n", "1"], "ALFWORLD_DATA"),
    (["eval", "alfworld-mini", "--arms", "memroy"], "no arm 'memroy'"),
    (["eval", "alfworld-mini", "--checkpoints", "1,x"], "--checkpoints"),
    (
        ["eval", "alfworld-mini", "--tasks", "9999", "--arms", "knn", "--checkpoints", "0"],
        "9999 were asked",
    ),
    (["memory", "ls"], "no store"),
    (["memory", "import", "none.jsonl"], "cannot be read"),
    (["envs", "verify", "nothing"], "no environment"),
    (["picture", "none.json", "to.png"], "no report"),
    (["run", "./none.toml"], "no suite file"),
    (["run", "alfworld-mini", "--set", "modell=x"], "did you mean 'model'"),
    (["run", "alfworld-mini", "--seed", "1", "--set", "seed=2"], "'seed' is given twice"),
    (["run", "alfworld-mini", "--set", "policy=5", "--set", "policy.beta=1"], "already set"),
    (["run", "alfworld-mini", "--set", "retriever.k=-3"], "retriever.k"),
    (["run", "alfworld-mini", "--set", "llm=x"], "no setting 'llm'"),
    (["run", "alfworld-mini", "--seed", "-4"], "--seed"),
    (["eval", "alfworld-mini", "--arms", "knn", "--tasks", "0"], "--tasks"),
    (["eval", "alfworld-mini", "--fresh", "--store", "."], "holds no evaluation"),
    (["bench", "choose", "--steps", "0"], "--steps"),
]


@pytest.mark.parametrize(("arguments", "says"), BAD, ids=[" ".join(a) for a, _ in BAD])
def test_bad_input_gets_one_sentence_and_exit_status_2(
    arguments: list[str], says: str, tmp_path: Path
) -> None:
    done = lichen(*arguments, cwd=tmp_path, env={"ALFWORLD_DATA": ""})
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_unknown_splits_and_options_are_usage_errors(tmp_path: Path) -> None:
    assert lichen("eval", "demo", "--split", "tset", cwd=tmp_path).returncode == 2
    assert lichen("eval", "demo", "--colour", cwd=tmp_path).returncode == 2
    assert lichen("nothing", cwd=tmp_path).returncode == 2


def test_a_file_in_the_place_of_the_store_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file where the folder should be")
    done = lichen("run", "alfworld-mini", "-n", "1", "--store", "store", cwd=tmp_path)
    assert done.returncode == 2
    assert "cannot be written" in done.stderr


def test_fresh_removes_only_what_an_evaluation_made_and_only_when_it_is_not_running(
    tmp_path: Path,
) -> None:
    command = ["eval", "alfworld-mini", "--arms", "knn", "--checkpoints", "2", "--tasks", "1"]
    command += ["--set", "embedder=hashing", "--store", "e"]
    assert lichen(*command, cwd=tmp_path).returncode == 0
    (tmp_path / "e" / "mine.txt").write_text("kept")
    with Store(tmp_path / "e", embedder=HashingEmbedder()):
        refused = lichen(*command, "--fresh", cwd=tmp_path)
        assert refused.returncode == 2 and "is running" in refused.stderr
        assert (tmp_path / "e" / "rows.jsonl").exists()
    assert lichen(*command, "--fresh", "--seed", "1", cwd=tmp_path).returncode == 0
    assert (tmp_path / "e" / "mine.txt").read_text() == "kept"
    gold = ["memory", "import-gold", "--suite", "alfworld-mini", "-n", "1", "--store", "own"]
    assert lichen(*gold, cwd=tmp_path).returncode == 0
    assert lichen(*command[:-1], "own", "--fresh", cwd=tmp_path).returncode == 2
    assert (tmp_path / "own" / "ledger.sqlite").exists()


def test_files_that_are_no_text_and_variables_that_are_no_json_are_one_sentence(
    tmp_path: Path,
) -> None:
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    done = lichen("run", "binary.toml", cwd=tmp_path)
    assert done.returncode == 2 and "no text in UTF-8" in done.stderr
    done = lichen("run", "alfworld-mini", "-n", "1", cwd=tmp_path, env={"LICHEN_POLICY": "{bad"})
    assert done.returncode == 2 and "LICHEN_*" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_run_without_the_model_opens_none_and_a_wrong_name_leaves_no_store(
    tmp_path: Path,
) -> None:
    options = ["--set", "policy.llm=false", "--set", "embedder=hashing", "--model", "nothing"]
    done = lichen("run", "alfworld-mini", "-n", "1", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lichen("run", "nosuch", "--store", "s1", cwd=tmp_path)
    lichen("run", "alfworld-mini/test/none", "--store", "s1", cwd=tmp_path)
    assert not (tmp_path / "s1").exists()


def test_a_server_that_is_down_before_a_run_begins_is_one_sentence(tmp_path: Path) -> None:
    options = ["--model", "openai:m", "--base-url", "http://127.0.0.1:9/v1", "--store", "s"]
    done = lichen("run", "alfworld-mini", "-n", "1", *options, cwd=tmp_path)
    assert done.returncode == 2  # the fingerprint cannot be taken: nothing is begun
    assert "cannot be reached" in done.stderr


def test_the_commands_of_a_first_hour_work_and_print_one_json_object(tmp_path: Path) -> None:
    def ask(*arguments: str) -> dict[str, object]:
        done = lichen(*arguments, "--json", "-", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        found: dict[str, object] = json.loads(done.stdout)
        return found

    quick = ["--set", "embedder=hashing", "--set", "policy.llm=false"]
    gold = lichen("memory", "import-gold", "--suite", "alfworld-mini", "-n", "3", cwd=tmp_path)
    assert "3 of 3 demonstrations were new; 3 episodes in memory" in gold.stdout, gold.stderr
    ran = ask("run", "alfworld-mini", "-n", "2", *quick)
    assert len(ran["episodes"]) == 2  # type: ignore[arg-type]
    assert ask("memory", "ls")["total"] == 5
    case = ask("memory", "ls")["cases"][0]  # type: ignore[index]
    assert ask("memory", "show", case["id"])["goal"] == case["goal"]
    why = ask("memory", "why", str(ran["run"]), "1")
    assert why["reads"][0]["items"] and why["action"]  # type: ignore[index]
    assert ask("memory", "verify")["problems"] == []
    assert ask("envs", "verify", "alfworld-mini")["holds"] is True
    assert lichen("memory", "export", "all.jsonl", cwd=tmp_path).returncode == 0
    assert (tmp_path / "all.jsonl").read_text().count("\n") > 20
    done = lichen(
        "envs",
        "show",
        "alfworld-mini/test/look_at_obj_in_light-Book-None-Desk-5/mini_test_5",
        cwd=tmp_path,
    )
    assert "Your task is to: look at book under the desklamp." in done.stdout
    assert ask("doctor", "--quick")["works"] is True
