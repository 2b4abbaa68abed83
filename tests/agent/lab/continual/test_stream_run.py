"""A whole run, interrupted and resumed, and the command."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lichen.agent.acting.policy import PolicyConfig
from lichen.agent.cli.main import app
from lichen.agent.lab.certificate.certificate import Certificate
from lichen.agent.lab.continual.learner import LearnConfig, StreamSetting, expert_policy
from lichen.agent.lab.continual.stream import Stream
from lichen.agent.lab.continual.stream_picture import draw
from lichen.agent.lab.continual.stream_report import ContinualReport, summarise
from lichen.agent.lab.continual.stream_run import ARMS, RESULTS, find_arms, run_stream
from lichen.agent.llm.frozen import Frozen
from lichen.envs.errors import BadFile, LichenError, MissingExtra, UnknownName, UsageError
from lichen.memory.recall.retriever import RetrieverConfig


def of(folder: Path, llm: Frozen, stream: Stream) -> StreamSetting:
    return StreamSetting(
        llm=llm,
        stream=stream,
        folder=folder,
        policy=expert_policy(PolicyConfig()),
        retriever=RetrieverConfig(),
        embedder="hashing",
        learn=LearnConfig(epochs=1, lora_lr=1e-2),
        seed=1,
    )


def timeless(report: ContinualReport) -> dict[str, Any]:
    found = report.model_dump()
    for arm in found["arms"]:
        for part in [key for key in arm["spent"] if "seconds" in key]:
            del arm["spent"][part]
    return found


def test_a_run_that_is_interrupted_again_and_again_comes_to_the_same_report(
    tiny: Frozen, stream: Stream, tmp_path: Path
) -> None:
    def report(setting: StreamSetting, told: Any = None) -> ContinualReport:
        results = run_stream(setting, ARMS, {"seed": 1}, told)
        return summarise(stream, results, model="tiny", fingerprint="", split="test", seed=1)

    whole = report(of(tmp_path / "whole", tiny, stream))
    assert [arm.name for arm in whole.arms] == list(ARMS)
    assert {len(arm.measures.matrix) for arm in whole.arms} == {3}
    assert {arm.measures.matrix[0] for arm in whole.arms} == {whole.arms[0].measures.matrix[0]}
    drifts = {arm.name: arm.drift[-1] for arm in whole.arms}
    assert [drifts[name] for name in ("none", "memory", "softcot")] == [0.0, 0.0, 0.0]
    assert drifts["lora-gold"] > 0.0
    assert [c.a for c in whole.contrasts if c.b == "none"] == list(ARMS[1:])

    kills = 0
    for _ in range(12):
        left = iter(range(15))  # a stage is six decisions; finished stages are one word each

        def kill(arm: str, done: int, out_of: int, left: Iterator[int] = left) -> None:
            if next(left, None) is None:
                raise KeyboardInterrupt

        try:
            cut = report(of(tmp_path / "cut", tiny, stream), kill)
            break
        except KeyboardInterrupt:
            kills += 1
    assert kills >= 4
    assert timeless(cut) == timeless(whole)
    draw(cut, tmp_path / "continual.png")
    assert (tmp_path / "continual.png").read_bytes().startswith(b"\x89PNG")

    with pytest.raises(UsageError, match="other settings"):
        run_stream(of(tmp_path / "cut", tiny, stream), ARMS, {"seed": 2})
    (tmp_path / "cut" / RESULTS / "memory-1.json").write_text("{")
    with pytest.raises(BadFile, match="memory-1.json is damaged"):
        report(of(tmp_path / "cut", tiny, stream))


def test_the_command_runs_writes_its_files_and_begins_anew(
    tiny_folder: Path, pair_file: Path, tmp_path: Path
) -> None:
    said = [
        *("continual", str(pair_file), "--arms", "memory,softcot"),
        *("--model", str(tiny_folder), "--set", "embedder=hashing", "--examples", "5"),
        *("--tasks", "2", "--epochs", "1", "--store", str(tmp_path / "run")),
    ]
    done = CliRunner().invoke(app, [*said, "--json", str(tmp_path / "out.json")])
    assert done.exit_code == 0, done.output
    assert "what it comes to" in done.output and "not whole episodes" in done.output
    report = json.loads((tmp_path / "out.json").read_text())
    assert report == json.loads((tmp_path / "run" / "report.json").read_text())
    assert [arm["name"] for arm in report["arms"]] == ["none", "memory", "softcot"]
    assert report["decisions"] == 2 and (tmp_path / "run" / "continual.png").exists()
    again = CliRunner().invoke(app, [*said, "--json", str(tmp_path / "again.json")])
    assert again.exit_code == 0
    assert json.loads((tmp_path / "again.json").read_text()) == report
    sealed = CliRunner().invoke(app, ["certify", str(tmp_path / "run")])
    assert sealed.exit_code in (0, 1), sealed.output
    made = Certificate.model_validate_json((tmp_path / "run" / "certificate.json").read_text())
    assert made.sha256 == made.digest and made.suite == report["stream"]
    assert [line.state for line in made.lines if "weights" in line.claim] == ["holds"]
    quiet = [line for line in made.lines if "off-stream" in line.claim]
    assert len(quiet) == 2 and all(line.state == "holds" for line in quiet)
    assert sum("backward transfer" in line.claim for line in made.lines) == 2
    fresh = CliRunner().invoke(app, [*said, "--fresh", "--json", str(tmp_path / "fresh.json")])
    assert fresh.exit_code == 0
    new = ContinualReport.model_validate_json((tmp_path / "fresh.json").read_text())
    assert timeless(new) == timeless(ContinualReport.model_validate(report))


@pytest.mark.parametrize(
    ("said", "error", "words"),
    [
        (["demo"], UsageError, "has 1 task family, and a stream needs at least 2"),
        (["twx-stream", "--arms", "memry"], UnknownName, "did you mean 'memory'"),
        (["twx-stream", "--set", "policy.llm=false"], UsageError, "needs a model in this process"),
        (["twx-stream", "--model", "openai:gpt"], UsageError, "needs a model in this process"),
        (["twx-stream", "--set", "dtype=bfloat16"], UsageError, "trains in float32"),
        (["twx-stream", "--arms", ","], UsageError, "--arms names nothing"),
        (["alfworld-mini", "--tasks", "9999"], UsageError, "9999 were asked for"),
    ],
)
def test_what_cannot_be_right_is_said_in_one_sentence(
    said: list[str], error: type[LichenError], words: str, tmp_path: Path
) -> None:
    done = CliRunner().invoke(app, ["continual", *said, "--store", str(tmp_path / "run")])
    assert isinstance(done.exception, error) and words in str(done.exception)


def test_fresh_removes_nothing_from_a_folder_that_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    done = CliRunner().invoke(
        app,
        ["continual", "twx-stream", "--fresh", "--store", str(tmp_path)],
    )
    assert isinstance(done.exception, UsageError) and (tmp_path / "mine.txt").exists()


def test_without_peft_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(MissingExtra, match="needs the package 'peft'") as caught:
        find_arms(["lora"])
    assert caught.value.hint == "pip install 'lichen[lora]'"
    assert find_arms(["memory"]) == ("none", "memory")
