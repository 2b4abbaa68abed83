"""An earlier experiment is removed only from its own folder, only what it made, and not while it runs."""

from pathlib import Path

import pytest

from lichen.agent.lab.kernel.reports import begin_anew, save_report
from lichen.envs.errors import UsageError
from lichen.envs.types import Record
from lichen.memory.ledger.errors import StoreInUse
from lichen.memory.ledger.lock import claim


class Figure(Record):
    """A report of these tests."""

    success: float


def anew(folder: Path) -> None:
    begin_anew(folder, sign="rows.jsonl", made=("rows.jsonl", "report.*", "index"), what="trial")


def test_only_what_was_made_goes_and_only_from_its_own_folder(tmp_path: Path) -> None:
    anew(tmp_path / "none")
    assert not (tmp_path / "none").exists()
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds no trial"):
        anew(tmp_path)
    (tmp_path / "rows.jsonl").write_text("")
    (tmp_path / "index").mkdir()
    text = save_report(Figure(success=0.5), tmp_path / "report.json")
    assert (tmp_path / "report.json").read_text() == text + "\n"
    lock = claim(tmp_path)
    with pytest.raises(StoreInUse, match="is running"):
        anew(tmp_path)
    lock.release()
    anew(tmp_path)
    left = {path.name for path in tmp_path.iterdir()}
    assert "mine.txt" in left and not left & {"rows.jsonl", "report.json", "index"}
