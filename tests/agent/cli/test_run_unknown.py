"""`lichen run` against a server that refuses: one bad prompt stops nothing, and nothing known is no exit 0."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lichen.agent.cli.main import app

Server = Any  # ScriptedServer of conftest.py


def run(server: Server, folder: Path, *more: str) -> tuple[int, str]:
    where: Sequence[str] = ("--store", str(folder), "--model", "openai:m", "--base-url", server.url)
    made = CliRunner().invoke(app, ["run", "alfworld-mini", *where, *more])
    return made.exit_code, " ".join(made.output.split())


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LICHEN_CACHE", str(tmp_path / "cache"))


def test_scripted_a_run_of_which_nothing_is_known_says_why_and_exits_1(
    loopback: Server, tmp_path: Path
) -> None:
    loopback.answers(loopback.failed(400, "Conversation roles must alternate"))
    status, said = run(loopback, tmp_path / "store", "-n", "2", "--set", "embedder=hashing")
    assert status == 1
    assert "2 unknown: RequestRefused" in said and "Conversation roles must alternate" in said


def test_scripted_an_evaluation_of_which_nothing_is_known_exits_1(
    loopback: Server, tmp_path: Path
) -> None:
    loopback.answers(loopback.failed(400, "no"))
    where = ["--store", str(tmp_path / "eval"), "--model", "openai:m", "--base-url", loopback.url]
    few = ["--arms", "none", "--checkpoints", "0", "--tasks", "1", "--set", "embedder=hashing"]
    made = CliRunner().invoke(app, ["eval", "alfworld-mini", *where, *few])
    assert made.exit_code == 1 and "no outcome is known" in made.output


def test_scripted_one_prompt_that_is_refused_does_not_stop_the_run(
    loopback: Server, tmp_path: Path
) -> None:
    tasks: list[str] = []

    def picky(body: dict[str, Any]) -> Any:
        said = "".join(str(message["content"]) for message in body["messages"])
        if goal := re.search(r"Task: .*", said):
            tasks.append(goal[0])
            if goal[0] == tasks[0]:
                return loopback.failed(400, "this prompt cannot be tokenized")
        return loopback.said('{"number": 1}')

    loopback.answers(picky)
    status, said = run(loopback, tmp_path / "store", "-n", "2", "--set", "embedder=hashing")
    assert status == 0 and len(set(tasks)) == 2
    assert "1 unknown: RequestRefused" in said and "cannot be tokenized" in said
