"""Every docstring example runs, every module says what it is for, and no file outgrows its room."""

import ast
import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import lichen.agent
import lichen.envs
import lichen.memory
import lichen.skills

ROOT = Path(__file__).parents[1]
PACKAGES = [lichen.agent, lichen.memory, lichen.skills, lichen.envs]
MODULES = [
    name
    for package in PACKAGES
    for name in [
        package.__name__,
        *(m.name for m in pkgutil.walk_packages(package.__path__, package.__name__ + ".")),
    ]
    if not name.endswith("__main__")
]
FILES = [
    path for floor in ("envs", "memory", "skills", "agent") for path in (ROOT / floor).rglob("*.py")
]


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples_run(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_every_file_opens_by_saying_what_it_knows_and_stays_a_small_room() -> None:
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        assert ast.get_docstring(ast.parse(text)), f"{path} has no docstring"
        assert text.count("\n") <= 350, f"{path} has more than 350 lines"


def test_public_functions_and_classes_have_docstrings() -> None:
    for path in FILES:
        top = ast.parse(path.read_text(encoding="utf-8")).body
        inner = [node for part in top if isinstance(part, ast.ClassDef) for node in part.body]
        for node in [*top, *inner]:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                overload = any(
                    "overload" in ast.unparse(d) for d in getattr(node, "decorator_list", [])
                )
                if not node.name.startswith("_") and not overload:
                    assert ast.get_docstring(node), f"{path}: {node.name} has no docstring"
