"""The bench of the middleware, over a real HTTP server whose replies are scripted."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

pytest.importorskip("langchain_openai")

from lichen.agent.cli.main import app
from lichen.envs.errors import UsageError

Server = Any  # ScriptedServer of conftest.py


def test_scripted_both_sides_solve_the_same_tickets_and_are_paired(
    loopback: Server, tmp_path: Path
) -> None:
    def reply(body: dict[str, Any]) -> Any:
        """Copies the last remembered call that has no value of its own; closes at once without memory."""
        told = body["messages"][0]["content"]
        used = len([turn for turn in body["messages"] if turn["role"] == "tool"])
        calls = re.findall(r"\|   (find_\w+|look_\w+)\(", told)
        if used < 1 and calls:
            return loopback.called(("find_customer", {"name": "Nobody"}))
        return loopback.called(("finish", {"answer": "Sorry."}))

    loopback.answers(reply)
    file = tmp_path / "found.json"
    words = ["bench", "middleware", "--model", "openai:m", "--base-url", loopback.url]
    words += ["--tickets", "2", "--demonstrations", "4", "--json", str(file)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    found = json.loads(file.read_text())
    assert len(found["rows"]) == 2 and found["unknown"] == 0
    for row in found["rows"]:
        assert row["without"]["calls"] == 1 and row["with"]["calls"] >= 1
        assert row["without"]["tokens_in"] > 0
    systems = [body["messages"][0]["content"] for body in loopback.asked]
    assert any("| Case:" in said for said in systems) and not all("| Case:" in s for s in systems)
    assert found["difference"]["mean"] == pytest.approx(
        found["sides"]["with"]["mean"] - found["sides"]["without"]["mean"]
    )


def test_a_model_that_langchain_cannot_ask_is_one_sentence() -> None:
    with pytest.raises(UsageError, match="LangChain can ask"):
        CliRunner().invoke(app, ["bench", "middleware"], catch_exceptions=False)
