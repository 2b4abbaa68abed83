"""The built wheel, installed beside nothing of this checkout, does what the checkout does."""

import os
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = ["agent", "envs", "memory", "skills", "pyproject.toml", "README.md", "LICENSE"]
FOLDERS = SOURCES[:4]
CONTRACT = "contracts/test_environments.py::test_the_protocol_is_kept"
TESTS = [
    *(f"memory/{part}" for part in ("store", "ledger", "kinds", "recall", "conftest.py")),
    *(f"{CONTRACT}[{name}]" for name in ("alfworld-mini", "textcraft", "support", "bfcl")),
    "agent/lab/heldout/test_heldout_run.py::test_rows_of_other_settings_are_not_mixed_in",
    "conftest.py",
]
"""Run against the wheel: each floor once, and what reads its data. The rest need the tree or are slow."""


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


def test_the_wheel_holds_every_file_of_the_tree(installed: Path) -> None:
    def held(root: Path) -> set[Path]:
        found = (path for folder in FOLDERS for path in (root / folder).rglob("*"))
        return {
            path.relative_to(root)
            for path in found
            if path.is_file() and "__pycache__" not in path.parts
        }

    assert held(installed / "lichen") == held(ROOT)


def test_the_wheel_names_its_entry_points(installed: Path) -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (said,) = distributions(path=[str(installed)])
    held = {(point.group, point.name, point.value) for point in said.entry_points}
    groups = {"console_scripts": listed["scripts"], **listed["entry-points"]}
    assert held == {(group, *point) for group in groups for point in groups[group].items()}


def test_the_command_line_of_the_wheel_knows_the_shipped_suites(installed: Path) -> None:
    assert "twx-mapreader" in run(["lichen.agent", "envs", "suites"], installed, installed)


def test_the_tests_pass_against_the_wheel(installed: Path, tmp_path: Path) -> None:
    for name in TESTS:
        file = name.split("::")[0]
        source, target = ROOT / "tests" / file, tmp_path / "tests" / file
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy2(source, target)
    shutil.copy2(ROOT / "pyproject.toml", tmp_path)
    asked = [f"tests/{name}" for name in TESTS if not name.endswith("conftest.py")]
    said = run(["pytest", "-q", "-p", "no:cacheprovider", *asked], tmp_path, installed)
    assert " passed" in said
