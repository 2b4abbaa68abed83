"""The record of the tables is the documentation's, and every command in it is one."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lichen.agent.cli.main import app
from lichen.agent.lab.reproduce.recorded_tables import recorded_tables, table_named
from lichen.envs import UnknownName, UsageError

README = Path(__file__).parents[4] / "README.md"
LICHEN = [sys.executable, "-m", "lichen.agent"]


def test_the_readmes_table_is_the_record() -> None:
    said = re.findall(
        r"^\| (.+?) \| (.+?) \| `((?:lichen|make) .+?)` \|$", README.read_text(), re.M
    )
    assert said == [(one.what, one.found, one.command) for one in recorded_tables().values()]


@pytest.mark.parametrize("name", sorted(recorded_tables()))
def test_every_recorded_command_is_known_with_all_its_options(name: str) -> None:
    words = table_named(name).argv(file=Path("model.gguf"))
    options = [word for word in words if word.startswith("--")]
    plain = words[: next((i for i, w in enumerate(words) if w.startswith("--")), len(words))]
    for count in (1, 2, 3):
        done = CliRunner().invoke(app, [*plain[:count], "--help"])
        if done.exit_code == 0 and all(option in done.output for option in options):
            return
    raise AssertionError(f"{words}: {done.output}")


def test_a_table_is_run_again_and_its_status_is_the_commands(tmp_path: Path) -> None:
    said = subprocess.run(
        [*LICHEN, "reproduce", "demo", "--dry-run", "--json", "-"], capture_output=True, text=True
    )
    assert json.loads(said.stdout)["argv"][:2] == ["eval", "demo"], said.stderr
    done = subprocess.run(
        [*LICHEN, "reproduce", "step", "--store", str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 2 and "keeps nothing" in done.stderr


def test_wrong_names_and_missing_files_are_said() -> None:
    with pytest.raises(UnknownName, match="demos"):
        table_named("demos")
    with pytest.raises(UsageError, match="does not ship"):
        table_named("support").argv()
