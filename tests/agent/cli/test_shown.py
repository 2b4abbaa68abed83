"""The terminal shows what was remembered, and obeys none of it; no console makes a command raise."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from rich.syntax import Syntax
from rich.table import Table

from lichen.agent.cli.options import row
from lichen.agent.cli.terminal import Terminal
from lichen.envs.shown_text import shown, shown_json
from lichen.memory.likeness.embedder import HashingEmbedder
from lichen.memory.store.demonstrations import (
    DemonstratedStep,
    Demonstration,
    import_demonstrations,
)
from lichen.memory.store.store import Store

EVIL = "\x1b]52;c;cm0=\x07\x9b31m\u202egnp\u2066\r\x7f\u4e2d"
RAW = ("\x1b", "\x07", "\x9b", "\u202e", "\u2066", "\r", "\x7f")


def lichen(*words: str, encoding: str = "utf-8") -> subprocess.CompletedProcess[bytes]:
    """Run the command line under an encoding; nothing is decoded."""
    command = [sys.executable, "-m", "lichen.agent", *words]
    environment = {"PYTHONIOENCODING": encoding, "PATH": "/usr/bin:/bin", "PYTHONUTF8": "0"}
    return subprocess.run(command, capture_output=True, env=environment, check=False)


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that remembers control characters."""
    folder = tmp_path_factory.mktemp("poisoned")
    step = DemonstratedStep(
        text=EVIL, action=f"say {EVIL}", observation="", score_before=0, score_after=1
    )
    told = Demonstration(
        env="x", family=f"f{EVIL}", task_id=f"x/{EVIL}", goal=f"find {EVIL}", steps=(step,), score=1
    )
    with Store(folder, embedder=HashingEmbedder()) as store:
        assert len(import_demonstrations(store, [told], run="x")) == 1
    return folder


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_no_command_sends_what_a_terminal_would_obey_or_raises(
    poisoned: Path, encoding: str
) -> None:
    where = ("--store", str(poisoned))
    for words in (("memory", "ls"), ("memory", "ls", "--grain", "steps"), ("memory", "show", EVIL)):
        done = lichen(*words, *where, encoding=encoding)
        assert b"Traceback" not in done.stderr and done.returncode in (0, 2)
        said = (done.stdout + done.stderr).decode(encoding)
        assert not [char for char in RAW if char in said]
        assert "\\x1b" in said


def test_json_on_standard_output_is_exact_and_ascii_where_the_console_is(poisoned: Path) -> None:
    done = lichen("memory", "ls", "--json", "-", "--store", str(poisoned), encoding="ascii")
    assert json.loads(done.stdout.decode("ascii"))["cases"][0]["goal"] == f"find {EVIL}"


def test_tables_code_and_text_are_cleaned_and_colours_stay() -> None:
    made = io.StringIO()
    console = Terminal(file=made, force_terminal=True, color_system="standard", width=200)
    table = Table(title=EVIL)
    table.add_column(EVIL)
    row(table, EVIL)
    for one in (table, Syntax(f"x = 1  # {EVIL}", "python"), EVIL):
        console.print(one)
    said = made.getvalue()
    assert "\x1b[" in said and "\x1b]52" not in said and "\x9b" not in said and "\u202e" not in said


def test_every_control_is_shown_and_every_letter_stays() -> None:
    controls = [chr(c) for c in (*range(32), *range(127, 160)) if chr(c) not in "\t\n"]
    assert all(shown(char) == f"\\x{ord(char):02x}" for char in controls)
    letters = "a\tb\n\u00e9 \u4e2d\u6587 \u0627\u0644 \u05d0 \U0001f600 \u200d"
    assert shown(letters) == letters
    for text in (EVIL, letters, "\U0001f600"):
        for ascii_only in (False, True):
            made = shown_json(json.dumps(text, ensure_ascii=False), ascii_only=ascii_only)
            assert json.loads(made) == text
    assert shown_json('"\ud800"') == '"\\ud800"'
