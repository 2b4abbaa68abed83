"""`lichen eval`: what --fresh removes, and what it leaves alone."""

import subprocess
import sys
from pathlib import Path

from lichen.memory import Store
from lichen.memory.likeness.embedder import HashingEmbedder


def lichen(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command line in a folder."""
    command = [sys.executable, "-m", "lichen.agent", *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_fresh_removes_only_what_an_evaluation_made_and_only_when_it_is_not_running(
    tmp_path: Path,
) -> None:
    command = ["eval", "alfworld-mini", "--arms", "knn", "--checkpoints", "2", "--tasks", "1"]
    command += ["--set", "embedder=hashing", "--store", "e"]
    assert lichen(*command, cwd=tmp_path).returncode == 0
    (tmp_path / "e" / "mine.txt").write_text("kept")
    with Store(tmp_path / "e", embedder=HashingEmbedder()):
        refused = lichen(*command, "--fresh", cwd=tmp_path)
        assert refused.returncode == 2 and "is running" in refused.stderr
        assert (tmp_path / "e" / "rows.jsonl").exists()
    assert lichen(*command, "--fresh", "--seed", "1", cwd=tmp_path).returncode == 0
    assert (tmp_path / "e" / "mine.txt").read_text() == "kept"
    gold = ["memory", "import-gold", "--suite", "alfworld-mini", "-n", "1", "--store", "own"]
    assert lichen(*gold, cwd=tmp_path).returncode == 0
    assert lichen(*command[:-1], "own", "--fresh", cwd=tmp_path).returncode == 2
    assert (tmp_path / "own" / "ledger.sqlite").exists()
