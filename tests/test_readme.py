"""README and docs tell the truth: scripts run, commands and options exist, links lead somewhere."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperGroup

from lichen.agent.cli.main import app

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TARGETS = {"demo", "test", "setup", "figures", "clean", "help"}


def blocks(page: Path, language: str) -> list[str]:
    """Return the fenced blocks of a page."""
    parts = page.read_text(encoding="utf-8").split(f"```{language}\n")[1:]
    return [part.split("```")[0] for part in parts]


def scripts() -> list[tuple[str, str]]:
    """Return all scripts but README's first, which the tests of the agent's face run."""
    found = [(page.name, block) for page in PAGES for block in blocks(page, "python")]
    return [(name, block) for name, block in found if (name, block) != found[0]]


def test_the_readme_has_at_most_200_lines() -> None:
    assert PAGES[0].read_text(encoding="utf-8").count("\n") <= 200


@pytest.mark.parametrize(("name", "script"), scripts())
def test_a_script_runs_as_it_stands(name: str, script: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "LICHEN_POLICY__CANDIDATES": "4"},
    )
    assert done.returncode == 0, f"{name}: {done.stderr}"


def commands() -> list[tuple[str, str]]:
    """Return every `lichen ...` line of the pages' shell blocks, comments cut off."""
    lines = [
        (page.name, line) for page in PAGES for b in blocks(page, "sh") for line in b.split("\n")
    ]
    return [(name, line) for name, line in lines if line.startswith("lichen ")]


@pytest.mark.parametrize(("name", "line"), commands())
def test_a_command_and_its_options_exist(name: str, line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    command = typer.main.get_command(app)
    context = command.make_context("lichen", list(words), resilient_parsing=True)
    while isinstance(command, TyperGroup):
        _, found, words = command.resolve_command(context, words)
        assert found is not None, f"{name}: {line}"
        command = found
    known = {option for parameter in command.params for option in parameter.opts}
    for word in words:
        if word.startswith("-"):
            assert word.partition("=")[0] in known, f"{name}: {line}: {word}"


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_make_targets_of_the_readme_exist() -> None:
    named = set(re.findall(r"make (\w+)", PAGES[0].read_text(encoding="utf-8")))
    made = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    assert named <= made | TARGETS
