"""A store on a bad disk, in a strange folder, or with damaged files: one sentence, and nothing lost."""

import os
from pathlib import Path

import numpy as np
import pytest

from lichen.envs import make
from lichen.memory.forgetting.explain import verify_store
from lichen.memory.ledger.errors import LedgerCorrupt
from lichen.memory.ledger.ledger import open_ledger
from lichen.memory.ledger.records import EpisodeCase, StepCase
from lichen.memory.likeness.embedder import HashingEmbedder
from lichen.memory.likeness.features import hashed
from lichen.memory.store.demonstrations import (
    Demonstration,
    from_gold,
    import_demonstrations,
    read_jsonl,
)
from lichen.memory.store.store import Store


def opened(folder: Path, *, read_only: bool = False) -> Store:
    return Store(folder, embedder=HashingEmbedder(), clock=lambda: 0.0, read_only=read_only)


def shown(n: int = 4) -> list[Demonstration]:
    environment = make("alfworld-mini")
    return list(from_gold(environment, [task.id for task in environment.tasks("train")][:n]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with opened(tmp_path / "store") as store:
        import_demonstrations(store, shown(), run="gold")
        assert len(store.index(StepCase)) == len(store.steps)
        assert len(store.index(EpisodeCase)) == 4
    return tmp_path / "store"


@pytest.mark.parametrize("name", ["a#b", "a?b", "a%20b", "a b", "ä☂"])
def test_any_folder_name_holds_its_own_ledger(tmp_path: Path, name: str) -> None:
    with opened(tmp_path / name) as store:
        import_demonstrations(store, shown(1), run="gold")
    assert (tmp_path / name / "ledger.sqlite").is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == [name]
    with opened(tmp_path / name, read_only=True) as store:
        assert len(store.episodes) == 1


def test_a_store_that_nobody_can_write_to_can_be_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # root is never refused by mode bits, so the answer of the system call is given here
    monkeypatch.setattr("lichen.memory.ledger.sqlite.os.access", lambda path, mode: False)
    before = sorted(path.name for path in folder.iterdir())
    with opened(folder, read_only=True) as store:
        assert len(store.episodes) == 4
    assert open_ledger(folder).head() > 4
    assert sorted(path.name for path in folder.iterdir()) == before


def test_a_ledger_that_is_no_database_is_one_sentence_and_is_left_as_it_is(folder: Path) -> None:
    rubbish = os.urandom(9000)
    for rest in folder.glob("ledger.sqlite-*"):
        rest.unlink()
    (folder / "ledger.sqlite").write_bytes(rubbish)
    for read_only in (False, True):
        with pytest.raises(LedgerCorrupt, match="not a database"):
            opened(folder, read_only=read_only)
    with pytest.raises(LedgerCorrupt, match="not a database"):
        open_ledger(folder).head()
    assert (folder / "ledger.sqlite").read_bytes() == rubbish


def test_an_index_that_cannot_be_opened_is_set_aside_and_made_again(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "index" / "chroma.sqlite3").write_bytes(os.urandom(9000))
    with opened(folder) as store:
        assert len(store.index(StepCase)) == len(store.steps)
        assert any("made again" in what for what in store.repaired)
    assert (folder / "index.broken-1").is_dir()
    assert "made again" in caplog.text
    assert verify_store(folder).problems == ()


def test_wrong_metadata_and_wrong_vectors_in_the_index_are_found(folder: Path) -> None:
    with opened(folder) as store:
        index = store.index(StepCase)
        ids = sorted(store.steps)[:2]
        items = {item.id: item for item in index.items()}
        index.put([items[ids[0]]._replace(rank=99)], hashed([store.steps[ids[0]].state]))
        index.put([items[ids[1]]], np.ones((1, 384), np.float32))
    problems = " ".join(verify_store(folder).problems)
    assert f"misplaces case {ids[0]}" in problems
    assert f"another vector of case {ids[1]}" in problems
    with opened(folder) as store:  # what it knows of a case is compared at every opening
        known = {item.id: item for item in store.index(StepCase).items()}
        assert known[ids[0]].rank == store.steps[ids[0]].rank


def test_a_line_separator_inside_a_text_does_not_end_a_line(tmp_path: Path) -> None:
    said = shown(1)[0].model_copy(update={"goal": "take the\u2028coin"})
    (tmp_path / "one.jsonl").write_text(said.model_dump_json() + "\n", encoding="utf-8")
    assert read_jsonl(tmp_path / "one.jsonl") == [said]
