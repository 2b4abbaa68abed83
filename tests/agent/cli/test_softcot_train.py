"""`lichen softcot`: train, interrupt, continue, evaluate, probe, and what is refused."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lichen.agent.cli.main import app
from lichen.agent.llm.frozen import Frozen
from lichen.agent.llm.soft_reader import SoftReader
from lichen.agent.softcot.example_rows import row_of
from lichen.agent.softcot.examples import from_cases
from lichen.agent.softcot.probe import probe
from lichen.envs.errors import LichenError
from lichen.memory.ledger.records import EpisodeCase, State, StepCase


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


def test_the_real_model_reads_embeddings_as_words(frozen: Frozen) -> None:
    found = probe(frozen)
    assert found.usable and found.compared == 3 and found.d == 576


def test_a_model_whose_embeddings_are_scaled_elsewhere_is_marked_unusable(
    tiny: Frozen, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = SoftReader.embed
    monkeypatch.setattr(SoftReader, "embed", lambda self, ids, soft: -3 * honest(self, ids, soft))
    found = probe(tiny)
    assert not found.usable and "their embeddings" in found.reason


def test_own_successes_become_examples_and_nothing_else_does(tiny: Frozen) -> None:
    def step(episode: str, index: int, gain: float) -> StepCase:
        return StepCase(
            id=f"{episode}{index}",
            episode=episode,
            rank=int(episode[1:]),
            env="e",
            family="f",
            index=index,
            state=State(goal="find the key", text=f"room {index}"),
            action=f"go {index}",
            gain=gain,
            source="own",
            events=(),
        )

    def whole(episode: str, outcome: str, source: str) -> EpisodeCase:
        return EpisodeCase.model_validate(
            {
                "id": episode,
                "episode": episode,
                "rank": int(episode[1:]),
                "env": "e",
                "family": "f",
                "task_id": "e/t",
                "goal": "find the key",
                "split": "train",
                "plan": (),
                "trust": "observed",
                "llm": "",
                "actions": (),
                "outcome": outcome,
                "score": 1.0,
                "source": source,
                "events": (),
            }
        )

    steps = [step(f"e{e}", i, 0.5 if i < 2 else 0.0) for e in (1, 2, 3) for i in (2, 1, 0)]
    wholes = {
        "e1": whole("e1", "success", "own"),
        "e2": whole("e2", "failure", "own"),
        "e3": whole("e3", "success", "demonstration"),
    }
    found = from_cases(steps, wholes)
    assert [(e.episode, e.answer) for e in found] == [("e1", "go 0"), ("e1", "go 1")]
    assert "Good action: go 0\nroom 1" in found[1].question and found[1].form == "cue"
    assert len(from_cases(steps, wholes, demonstrations=True)) == 4
    row = row_of(SoftReader(tiny), found[0], 3)
    assert tiny.tokenizer.decode(row.target) == " go 0\n"
    assert tiny.tokenizer.decode(row.prompt.suffix).endswith("\nGood action:")
