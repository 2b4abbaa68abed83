"""The command line as a person meets it: bad input is one sentence, and the commands of a first hour work."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from lichen.agent.cli.main import main

LICHEN = [sys.executable, "-m", "lichen.agent"]


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
    (["bench", "picture", "none.json", "to.png"], "no report"),
    (["run", "./none.toml"], "no suite file"),
    (["run", "alfworld-mini", "--set", "modell=x"], "did you mean 'model'"),
    (["run", "alfworld-mini", "--seed", "1", "--set", "seed=2"], "'seed' is given twice"),
    (["run", "alfworld-mini", "--set", "policy=5", "--set", "policy.votes=1"], "already set"),
    (["run", "alfworld-mini", "--set", "retriever.k=-3"], "retriever.k"),
    (["run", "alfworld-mini", "--set", "llm=x"], "no setting 'llm'"),
    (["run", "alfworld-mini", "--seed", "-4"], "--seed"),
    (["eval", "alfworld-mini", "--arms", "knn", "--tasks", "0"], "--tasks"),
    (["eval", "alfworld-mini", "--fresh", "--store", "."], "holds no evaluation"),
    (["bench", "choose", "--steps", "0"], "--steps"),
]


class Here:
    """The command line in this process: the same `main`, without a second for Python to begin."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self._patch, self._said = monkeypatch, capfd

    def ask(self, *arguments: str) -> tuple[int | str | None, str, str]:
        """Return exit status and what came on both streams."""
        self._patch.setattr(sys, "argv", ["lichen", *arguments])
        for name in ("stdout", "stderr"):  # `main` puts its own in their place
            self._patch.setattr(sys, name, getattr(sys, name))
        with pytest.raises(SystemExit) as end:
            main()
        return end.value.code, *self._said.readouterr()


@pytest.fixture
def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Here:
    monkeypatch.chdir(tmp_path)
    return Here(monkeypatch, capfd)


@pytest.mark.parametrize(("arguments", "says"), BAD, ids=[" ".join(a) for a, _ in BAD])
def test_bad_input_gets_one_sentence_and_exit_status_2(
    arguments: list[str], says: str, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALFWORLD_DATA", "")
    code, _, errors = here.ask(*arguments)
    assert code == 2, errors
    assert says in errors
    assert "Traceback" not in errors


def test_bad_input_is_one_sentence_of_a_process_too(tmp_path: Path) -> None:
    done = lichen("run", "alfworld-mini", "--set", "policy.betta=1", cwd=tmp_path)
    assert done.returncode == 2 and "policy.betta" in done.stderr
    assert "Traceback" not in done.stderr


def test_unknown_splits_and_options_are_usage_errors(here: Here) -> None:
    assert here.ask("eval", "demo", "--split", "tset")[0] == 2
    assert here.ask("eval", "demo", "--colour")[0] == 2
    assert here.ask("nothing")[0] == 2


def test_a_file_in_the_place_of_the_store_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file where the folder should be")
    done = lichen("run", "alfworld-mini", "-n", "1", "--store", "store", cwd=tmp_path)
    assert done.returncode == 2
    assert "cannot be written" in done.stderr


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


def test_the_commands_of_a_first_hour_work_and_print_one_json_object(
    tmp_path: Path, here: Here
) -> None:
    def ask(*arguments: str) -> dict[str, object]:
        code, said, errors = here.ask(*arguments, "--json", "-")
        assert code in (0, None), errors
        found: dict[str, object] = json.loads(said)
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
