"""Odd folders, full disks and files that are no database."""

import os
from pathlib import Path

import pytest

from lichen.envs import make
from lichen.memory.ledger.errors import LedgerCorrupt, StoreUnwritable
from lichen.memory.ledger.events import EpisodeEnded, EpisodeStarted, Event, Stepped
from lichen.memory.ledger.ledger import Entry, open_ledger
from lichen.memory.likeness.embedder import HashingEmbedder
from lichen.memory.store.demonstrations import (
    Demonstration,
    from_gold,
    import_demonstrations,
)
from lichen.memory.store.store import Store


def opened(folder: Path, *, read_only: bool = False) -> Store:
    return Store(folder, embedder=HashingEmbedder(), clock=lambda: 0.0, read_only=read_only)


def episode(outcome: str, name: str = "e", *, learn: bool = True) -> list[Entry]:
    started = EpisodeStarted(
        env="x", family="f", split="train", task_id="x/1", goal="take the coin", source="own"
    )
    stepped = Stepped(
        step=0,
        goal="take the coin",
        text="You see a coin.",
        inventory="",
        recent=(),
        action="take coin",
        observation="Taken.",
        score_before=0.0,
        score_after=1.0,
    )
    ended = EpisodeEnded(outcome=outcome, score=1.0, steps=1, learn=learn)  # type: ignore[arg-type]
    events: list[tuple[str, Event]] = [("start", started), ("step", stepped), ("end", ended)]
    return [Entry(f"{name}/{key}", "run", name, event) for key, event in events]


def gold_of(n: int = 4) -> list[Demonstration]:
    environment = make("alfworld-mini")
    return list(from_gold(environment, [task.id for task in environment.tasks("train")][:n]))


def test_a_full_disk_is_one_sentence_and_loses_nothing(folder: Path) -> None:
    with opened(folder) as store:
        before = store.ledger.head()
        with store._engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()

        from sqlalchemy import event

        @event.listens_for(store._engine, "checkout")
        def no_more_pages(raw: object, *_: object) -> None:
            raw.execute(f"PRAGMA max_page_count = {pages}")  # type: ignore[attr-defined]

        with pytest.raises(StoreUnwritable, match="full"):
            for number in range(200):
                store.append(episode("success", f"e{number}" + "x" * 2000))
    with opened(folder) as store:
        assert store.ledger.head() >= before
        assert store.ledger.damage() == []


@pytest.mark.parametrize("name", ["a#b", "a?b", "a%20b", "a b", "ä☂"])
def test_any_folder_name_holds_its_own_ledger(tmp_path: Path, name: str) -> None:
    with opened(tmp_path / name) as store:
        import_demonstrations(store, gold_of(1), run="gold")
    assert (tmp_path / name / "ledger.sqlite").is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == [name]
    with opened(tmp_path / name, read_only=True) as store:
        assert len(store.episodes) == 1


def test_a_ledger_that_is_no_database_is_one_sentence_and_is_left_as_it_is(four: Path) -> None:
    rubbish = os.urandom(9000)
    for rest in four.glob("ledger.sqlite-*"):
        rest.unlink()
    (four / "ledger.sqlite").write_bytes(rubbish)
    for read_only in (False, True):
        with pytest.raises(LedgerCorrupt, match="not a database"):
            opened(four, read_only=read_only)
    with pytest.raises(LedgerCorrupt, match="not a database"):
        open_ledger(four).head()
    assert (four / "ledger.sqlite").read_bytes() == rubbish
