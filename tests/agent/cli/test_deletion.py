"""Deleting one file of commands removes its commands and nothing else, in a copy of the tree."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lichen.agent.cli.verbs import VERBS

ROOT = Path(__file__).parents[3]
FILES = sorted({verb.module for verb in VERBS})


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which the four floors are the package `lichen`."""
    place = tmp_path_factory.mktemp("copy") / "lichen"
    for floor in ("agent", "envs", "memory", "skills"):
        shutil.copytree(ROOT / floor, place / floor, ignore=shutil.ignore_patterns("__pycache__"))
    return place.parent


def lichen(tree: Path, code: str) -> str:
    """Run a program in which `lichen` is the copy, and return what it prints."""
    found = "import sys; sys.meta_path = [f for f in sys.meta_path if 'editable' not in repr(f)]\n"
    done = subprocess.run(
        [sys.executable, "-c", found + code],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


EVERY = """
from importlib.util import find_spec
import lichen.agent.cli.verbs as verbs
from lichen.agent.cli.lazy import command_of
from typer.testing import CliRunner
from lichen.agent.cli.main import app
assert verbs.__file__.startswith(sys.path[1] if sys.path[0] == '' else sys.path[0])
def listed(noun):
    for word, row in verbs.below(noun).items():
        if isinstance(row, verbs.Verb):
            command_of(row)
            print(row.words)
        else:
            for verb in verbs.VERBS:  # `serve` runs, and has commands below it
                if verb.words == row.words and find_spec(verb.module) is not None:
                    command_of(verb)
                    print(verb.words)
            yield from listed(row.words)
    if CliRunner().invoke(app, [*noun.split(), '--help']).exit_code: raise SystemExit(noun)
list(listed(''))
"""


@pytest.mark.parametrize("module", FILES)
def test_without_a_file_all_other_commands_stand(tree: Path, module: str) -> None:
    path = tree / Path(*module.split(".")).with_suffix(".py")
    text = path.read_text(encoding="utf-8")
    path.unlink()
    try:
        said = lichen(tree, EVERY).split("\n")
    finally:
        path.write_text(text, encoding="utf-8")
    expected = [verb.words for verb in VERBS if verb.module != module]
    assert sorted(filter(None, said)) == sorted(expected)


def test_without_the_laboratory_the_product_stands(tree: Path) -> None:
    shutil.move(tree / "lichen" / "agent" / "lab", tree / "lab")
    try:
        said = lichen(tree, EVERY).split("\n")
    finally:
        shutil.move(tree / "lab", tree / "lichen" / "agent" / "lab")
    expected = [verb.words for verb in VERBS if ".lab." not in verb.module]
    assert sorted(filter(None, said)) == sorted(expected)
