"""`lichen run TASK --option KEY=VALUE`: the environment is opened with it, and the run says so."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from lichen.agent.cli.main import app
from lichen.envs.errors import LichenError, UsageError
from lichen.memory import Store
from lichen.memory.ledger.events import RunStarted

TASK = "textcraft/depth1/test/0"


def test_a_task_is_run_with_the_options_of_its_environment(tmp_path: Path) -> None:
    where = ["--no-llm", "--store", str(tmp_path / "s"), "--set", "embedder=hashing"]
    open_book = ["run", TASK, *where, "--option", "closed=false"]
    for words in (["run", TASK, *where], open_book):
        assert CliRunner().invoke(app, words).exit_code == 0
    with Store(tmp_path / "s", read_only=True) as store:
        events = [row.event for row in store.ledger.read()]
    runs = [event.config for event in events if isinstance(event, RunStarted)]
    assert "env_options" not in runs[0]
    assert runs[1]["env_options"] == {"closed": False}


def test_a_wrong_option_leaves_no_store_behind(tmp_path: Path) -> None:
    words = ["run", TASK, "--no-llm", "--store", str(tmp_path / "s"), "--option", "depth=1"]
    with pytest.raises(LichenError, match="no option 'depth'"):
        CliRunner().invoke(app, words, catch_exceptions=False)
    assert not (tmp_path / "s").exists()


def test_an_option_with_a_suite_is_one_sentence(tmp_path: Path) -> None:
    words = ["run", "demo", "--store", str(tmp_path / "s"), "--option", "closed=false"]
    with pytest.raises(UsageError, match="for one task"):
        CliRunner().invoke(app, words, catch_exceptions=False)
