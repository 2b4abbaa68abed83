"""Progress in a log: a line now and then, without a terminal."""

import io

import pytest
from rich.console import Console

from lichen.agent.cli import options
from lichen.agent.cli.options import episode_progress


def test_progress_without_a_terminal_writes_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = io.StringIO()
    monkeypatch.setattr(options, "progress_console", Console(file=log, force_terminal=False))
    monkeypatch.setattr(options, "EVERY", 0.0)
    with episode_progress() as progress:
        bar = progress.add_task("learning", total=3, success="", speed="")
        for number in (1, 2, 3):
            progress.update(bar, completed=number, success=f"success {number}/3")
    lines = [line for line in log.getvalue().splitlines() if "success" in line]
    assert any(line.endswith("learning 1/3 success 1/3") for line in lines), lines
    assert any(line.endswith("learning 3/3 success 3/3") for line in lines)


def test_between_two_lines_the_log_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    log = io.StringIO()
    monkeypatch.setattr(options, "progress_console", Console(file=log, force_terminal=False))
    monkeypatch.setattr(options, "EVERY", 3600.0)
    with episode_progress() as progress:
        bar = progress.add_task("learning", total=None, success="", speed="")
        progress.update(bar, completed=1)
        told = log.getvalue()
        for number in range(2, 50):
            progress.update(bar, completed=number)
        assert log.getvalue() == told
