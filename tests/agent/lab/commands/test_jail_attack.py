"""`lichen skills jail`: what stands, and exit 1 on a leak."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lichen.agent.cli.main import app
from lichen.skills.jail import (
    Jail,
    open_jail,
)


@pytest.fixture(scope="module")
def jail() -> Iterator[Jail]:
    with open_jail() as opened:
        yield opened


def test_the_commands_say_what_stands_and_exit_1_on_a_leak(tmp_path: Path) -> None:
    runner = CliRunner()
    done = runner.invoke(app, ["skills", "jail", "doctor", "--json", str(tmp_path / "doctor.json")])
    assert done.exit_code == 0 and "level kernel" in done.output
    assert '"holds": true' in (tmp_path / "doctor.json").read_text(encoding="utf-8")
    for level, code, verdict in (("kernel", 0, "11 blocked"), ("none", 1, "11 LEAK")):
        done = runner.invoke(
            app, ["skills", "jail", "attack", "--theme", "network", "--level", level]
        )
        assert (done.exit_code, verdict in done.output) == (code, True)
