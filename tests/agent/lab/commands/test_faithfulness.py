"""`lichen faithfulness`: its JSON, its exit statuses, and what an interruption says."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lichen.agent.cli.main import main
from lichen.agent.config import load_config
from lichen.agent.lab.commands.faithfulness import faithfulness_command
from lichen.agent.lab.faithfulness.of_chains import Chain
from lichen.envs.errors import LichenError

COMMAND = [sys.executable, "-m", "lichen.agent"]


def lichen(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a folder."""
    return subprocess.run(
        [*COMMAND, *words], cwd=folder, capture_output=True, text=True, timeout=120
    )


def test_chains_and_words_are_tested_and_wrong_words_are_refused(
    tmp_path: Path, tiny_folder: Path
) -> None:
    tiny = ("--model", str(tiny_folder), "--questions", "3", "--samples", "1", "--json", "-")
    done = lichen(tmp_path, "bench", "faithfulness", *tiny)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["fingerprint"]["before"] == report["fingerprint"]["after"]
    assert {r["test"] for r in report["rows"]} == {"early", "filler", "paraphrase", "swap"}
    assert set(report["rows"][0]) >= {
        "test",
        "step_fraction",
        "n",
        "same_answer_rate",
        "acc",
        "flip_rate",
        "kl_per_token",
        "ci95",
    }
    assert report["verdict"] == "decorative" and "items are few" in done.stderr
    verbal = lichen(tmp_path, "bench", "faithfulness", "--of", "hints", "--hint", "verbal", *tiny)
    assert verbal.returncode == 0, verbal.stderr
    assert json.loads(verbal.stdout)["kind"] == "verbal"
    assert not list(tmp_path.iterdir())  # nothing is left behind


def test_wrong_words_are_refused_before_a_model_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for words, said in (
        ({"of": "hints"}, "holds no trained projection"),
        ({"source": "wrods"}, "did you mean 'words'"),
        ({"source": "sudoku4"}, "no gold chains"),
        ({"of": "cases"}, "no memory in .lichen"),
        ({"of": "cases", "source": "dmeo"}, "did you mean 'demo'"),
    ):
        with pytest.raises(LichenError, match=said):
            faithfulness_command(**words)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_a_model_that_writes_no_chain_is_one_sentence(
    tmp_path: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "lichen.agent.lab.faithfulness.of_chains.chain_of",
        lambda example, *more: Chain(example, ()),
    )
    with pytest.raises(LichenError, match="wrote no chain"):
        faithfulness_command(chains="own", questions=2, model=str(tiny_folder))
    assert load_config(store=tmp_path, device="cuda").local.device == "cuda"


def test_an_interrupted_test_leaves_nothing_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*words: object, **more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lichen.agent.lab.softcot.puzzles.draw", interrupt)
    monkeypatch.setattr(sys, "argv", ["lichen", "bench", "faithfulness"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130
    assert "Nothing was written" in capsys.readouterr().err and not list(tmp_path.iterdir())
