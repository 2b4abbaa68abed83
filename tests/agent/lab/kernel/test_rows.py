"""What is kept of an experiment: rows and results come back, damage is named, other settings are refused."""

from pathlib import Path

import pytest

from lichen.agent.lab.kernel.identity import identity_file
from lichen.agent.lab.kernel.rows import ResultFolder, RowFile
from lichen.agent.llm.errors import FingerprintChanged
from lichen.envs.errors import BadFile, UsageError
from lichen.envs.types import Record


class Score(Record):
    """A row of these tests."""

    arm: str
    score: float

    @property
    def key(self) -> str:
        """Its arm."""
        return self.arm


def opened(path: Path, seed: int = 0) -> RowFile[Score]:
    return RowFile(path, {"seed": seed}, Score.model_validate_json)


def test_rows_come_back_and_a_torn_last_line_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "rows.jsonl"
    rows = opened(path)
    for number in range(3):
        rows.add(Score(arm=f"a{number}", score=number / 3))
    assert opened(path).rows == rows.rows
    whole = path.read_text()
    path.write_text(whole + '{"arm": "a3", "sc')
    assert opened(path).rows == rows.rows and path.read_text() == whole


def test_damage_in_the_middle_and_other_settings_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    opened(path).add(Score(arm="a", score=1.0))
    with pytest.raises(UsageError, match="other settings"):
        opened(path, seed=1)
    head, line = path.read_text().splitlines()
    path.write_text(f"{head}\ngarbage\n{line}\n")
    with pytest.raises(BadFile, match="line 2"):
        opened(path)
    path.write_bytes(b"\xff\xfe" + path.read_bytes())
    with pytest.raises(BadFile, match="damaged"):
        opened(path)


def test_a_result_comes_back_whole_or_its_damage_is_named(tmp_path: Path) -> None:
    kept = ResultFolder(tmp_path / "results", Score, "that stage")
    assert kept.read("a-1") is None
    kept.write("a-1", Score(arm="a", score=0.5))
    assert kept.read("a-1") == Score(arm="a", score=0.5)
    (tmp_path / "results" / "a-1.json").write_text("{")
    with pytest.raises(BadFile) as caught:
        kept.read("a-1")
    assert "that stage is run again" in caught.value.hint


def test_a_folder_says_which_experiment_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "run" / "settings.json"
    settings = {"seed": 0, "llm": "abc"}
    assert identity_file(path, settings, "a run") and not identity_file(path, settings, "a run")
    with pytest.raises(FingerprintChanged, match="another model"):
        identity_file(path, {**settings, "llm": "other"}, "a run")
    with pytest.raises(UsageError, match="holds a run with other settings"):
        identity_file(path, {**settings, "seed": 1}, "a run")
    path.write_text("{")
    with pytest.raises(BadFile, match="damaged"):
        identity_file(path, settings, "a run")
