"""The built wheel, installed beside nothing of this checkout, does what the checkout does."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = ["agent", "envs", "memory", "skills", "pyproject.toml", "README.md", "LICENSE"]
TESTS = ["memory", "contracts", "agent/lab/heldout/test_heldout_run.py", "conftest.py"]
"""The tests that are run against the wheel; the others need the tree or a model's long loading."""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with nothing but the installed wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    tree, site = folder / "tree", folder / "site"
    tree.mkdir()
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, tree)
    run(["build", "--wheel", "--no-isolation", "--outdir", str(folder), str(tree)], folder)
    (wheel,) = folder.glob("lichen-*.whl")
    run(["pip", "install", "-q", "--no-deps", "--target", str(site), str(wheel)], folder)
    return site


def run(module: list[str], cwd: Path, site: Path | None = None) -> str:
    env = {**os.environ, **({"PYTHONPATH": str(site)} if site else {})}
    done = subprocess.run(
        [sys.executable, "-m", *module], cwd=cwd, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return done.stdout


def test_the_wheel_is_what_python_finds(installed: Path) -> None:
    code = (
        "import lichen.agent, lichen.memory; print(lichen.agent.__file__, lichen.memory.__file__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(installed)},
        cwd=installed,
        capture_output=True,
        text=True,
        check=True,
    )
    assert all(name.startswith(str(installed)) for name in done.stdout.split())


def test_the_command_line_of_the_wheel_knows_the_shipped_suites(installed: Path) -> None:
    assert "twx-mapreader" in run(["lichen.agent", "envs", "suites"], installed, installed)


def test_the_tests_pass_against_the_wheel(installed: Path, tmp_path: Path) -> None:
    for name in TESTS:
        source, target = ROOT / "tests" / name, tmp_path / "tests" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, target)
    shutil.copy2(ROOT / "pyproject.toml", tmp_path)
    said = run(["pytest", "-q", "-p", "no:cacheprovider", "tests"], tmp_path, installed)
    assert " passed" in said
