"""`lichen softcot`: train, interrupt, continue, evaluate, and what is refused."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lichen.agent.cli.main import app
from lichen.envs.errors import LichenError


def lichen(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a folder."""
    command = [sys.executable, "-m", "lichen.agent", "softcot", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=200)


def test_a_projection_is_trained_evaluated_and_refused_between_other_models(
    tmp_path: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tiny = ("--model", str(tiny_folder))
    train = ("train", "words", *tiny, "--examples", "8", "--held-out", "2", "--epochs", "1")
    done = lichen(tmp_path, *train, "--json", "-")
    assert done.returncode == 0, done.stderr
    card = json.loads(done.stdout)
    assert card["steps"] == 2 and card["families"] == ["words"]
    assert "weights of both models are what they were" in done.stderr
    again = lichen(tmp_path, *train)
    assert again.returncode == 0 and "is trained already" in again.stdout, again.stderr
    found = lichen(
        tmp_path, "eval", "words", *tiny, "--questions", "3", "--samples", "1", "--json", "-"
    )
    assert found.returncode == 1, found.stderr  # random weights: no gain can be shown
    table = json.loads(found.stdout)
    assert table["holds"] is False and len(table["answers"]) == 3 * 6 * 2
    assert "stays off" in found.stderr
    other = lichen(tmp_path, "eval", "words", "--questions", "2")
    assert other.returncode == 2 and "was trained with the assistant" in other.stderr
    for words, said in (
        (("train", "own", *tiny), "no memory in .lichen"),
        (("train", "wrods", *tiny), "did you mean 'words'"),
        (("eval", "sudoku4", *tiny), "holds no trained projection"),
        (("eval", "words", *tiny, "--arms", "none"), "needs `soft`"),
        (("train", "words", *tiny, "--folder", ".", "--fresh"), "nothing was removed"),
        (("gate", *tiny), "train own"),
        (("table", "words", *tiny, "--seeds", "x"), "not a list of whole numbers"),
    ):
        wrong = CliRunner().invoke(app, ["softcot", *words]).exception
        assert isinstance(wrong, LichenError), wrong
        assert said in " ".join([str(wrong), *getattr(wrong, "__notes__", [])])
