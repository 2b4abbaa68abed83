"""What pyproject.toml ships is what the tree holds, and importing it does nothing heavy."""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ["agent", "envs", "memory", "skills"]
SHIPPED = {".py", ".md", ".toml", ".html", ".jsonl", ".css", ".js", ".svg"}


def test_every_folder_of_the_tree_is_shipped() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
        "setuptools"
    ]["packages"]
    held = {
        ".".join(["lichen", *path.parent.relative_to(ROOT).parts])
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix in SHIPPED and "__pycache__" not in path.parts
    }
    assert sorted(held) == sorted(listed)


def test_importing_the_four_floors_loads_nothing_heavy_and_prints_nothing() -> None:
    heavy = [
        "torch",
        "transformers",
        "chromadb",
        "sentence_transformers",
        "matplotlib",
        "openai",
        "langgraph",
    ]
    code = (
        "import sys, lichen.agent, lichen.agent.llm, lichen.envs, lichen.memory, lichen.skills; "
        f"print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_the_help_of_the_command_line_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['lichen', '--help']\n"
        "from lichen.agent.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = ['torch', 'transformers', 'chromadb', 'langgraph', 'scipy', 'matplotlib', 'sqlalchemy']\n"
        "print([m for m in heavy if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert "eval" in done.stdout
