"""Who may write to a store, and what everybody else is told."""

import subprocess
import sys
from pathlib import Path

import pytest

from lichen.memory.ledger.errors import StoreInUse, StoreUnwritable
from lichen.memory.ledger.ledger import open_ledger
from lichen.memory.likeness.embedder import HashingEmbedder
from lichen.memory.store.store import Store


def opened(folder: Path, *, read_only: bool = False) -> Store:
    return Store(folder, embedder=HashingEmbedder(), clock=lambda: 0.0, read_only=read_only)


def test_a_second_process_on_one_store_is_told_who_holds_it(folder: Path) -> None:
    code = (
        "from lichen.memory import Store\n"
        "from lichen.memory.likeness.embedder import HashingEmbedder\n"
        f"Store({str(folder)!r}, embedder=HashingEmbedder())"
    )
    with opened(folder):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        with opened(folder, read_only=True) as reader:  # looking is allowed
            assert len(reader.episodes) == 10
    assert "StoreInUse" in done.stderr
    with opened(folder) as store:
        with pytest.raises(StoreInUse, match="open in this process already"):
            opened(folder)
        assert len(store.episodes) == 10


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StoreUnwritable, match="cannot be written"):
        opened(tmp_path / "file")


def test_a_store_that_nobody_can_write_to_can_be_read(
    four: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # root is never refused by mode bits, so the answer of the system call is given here
    monkeypatch.setattr("lichen.memory.ledger.sqlite.os.access", lambda path, mode: False)
    before = sorted(path.name for path in four.iterdir())
    with opened(four, read_only=True) as store:
        assert len(store.episodes) == 4
    assert open_ledger(four).head() > 4
    assert sorted(path.name for path in four.iterdir()) == before
