"""`lichen memory edit`, `pin`, `quarantine`: what a person does, and what `ls` and `show` say of it."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lichen.agent.cli.main import app
from lichen.memory import Memory
from lichen.memory.likeness.embedder import open_embedder


@pytest.fixture
def desk(tmp_path: Path) -> tuple[Path, str]:
    with Memory(tmp_path, embedder=open_embedder("minilm")) as memory:
        steps: list[Any] = [{"tool": "find", "arguments": {"order": 4711}, "answer": "in Oslo"}]
        name = memory.remember("Where is 4711?", steps, outcome="success")
        again = memory.recall("Where is 4712?")
        memory.remember(again, steps, outcome="success")
    return tmp_path, name


def said(*arguments: object) -> str:
    done = CliRunner().invoke(app, ["memory", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_a_person_edits_pins_and_quarantines_at_the_terminal(desk: tuple[Path, str]) -> None:
    folder, name = desk
    store = ("--store", folder)

    def show() -> dict[str, Any]:
        return dict(json.loads(said("show", name, "--json", "-", *store)))

    assert "goal: Where is parcel 4711?" in said(
        "edit", name, "goal=Where is parcel 4711?", "plan=look\nsay", "--reason", "clearer", *store
    )
    told = show()
    assert (told["goal"], told["plan"], told["edited"]) == (
        "Where is parcel 4711?",
        ["look", "say"],
        "person",
    )
    assert [one["shown"] for one in told["effect"]["to"]] in ([True], [False])
    assert "is pinned" in said("pin", name, *store)
    assert "is quarantined" in said("quarantine", name, "--reason", "wrong shop", *store)
    told = show()
    assert (told["pinned"], told["trust"], told["quarantined"]) == (
        True,
        "quarantined",
        "wrong shop",
    )
    listed = json.loads(said("ls", "--json", "-", *store))["cases"]
    assert {case["episode"]: case["trust"] for case in listed}[name] == "quarantined"
    assert "is observed" in said("release", name, *store)
    assert "is not pinned" in said("unpin", name, *store)
    assert "all equal" in said("verify", *store)
    for wrong in (("edit", name, "goal"), ("edit", name, "score=1"), ("quarantine", name)):
        done = CliRunner().invoke(app, ["memory", *wrong, "--store", str(folder)])
        assert done.exit_code != 0 and done.exception is not None
