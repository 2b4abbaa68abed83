"""The ledger: identities, idempotent appends, damage, exact copies."""

import sqlite3
from pathlib import Path
from uuid import UUID

import pytest

from lichen.envs import make
from lichen.memory.forgetting.explain import (
    export_events,
    verify_store,
)
from lichen.memory.ledger.errors import LedgerCorrupt
from lichen.memory.ledger.events import EpisodeEnded, EpisodeStarted, Event, Stepped
from lichen.memory.ledger.ledger import Entry, open_ledger
from lichen.memory.ledger.row_checks import read_rows
from lichen.memory.likeness.embedder import HashingEmbedder
from lichen.memory.store.demonstrations import from_gold, import_demonstrations
from lichen.memory.store.replay import replay
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


def open_now(folder: Path, **options: object) -> Store:
    return Store(folder, embedder=HashingEmbedder(), **options)  # type: ignore[arg-type]


def demonstrated(folder: Path, which: list[int]) -> None:
    environment = make("alfworld-mini")
    ids = [task.id for task in environment.tasks("train")]
    with open_now(folder) as store:
        import_demonstrations(store, from_gold(environment, [ids[i] for i in which]), run="gold")


def test_appending_twice_writes_once(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        assert store.append(episode("success")) == 3
        assert store.append(episode("success")) == 0
        assert store.ledger.head() == 3


def test_a_corrupt_ledger_row_is_named_and_the_sound_rows_can_be_saved(folder: Path) -> None:
    with sqlite3.connect(folder / "ledger.sqlite") as raw:
        total = raw.execute("SELECT count(*) FROM events").fetchone()[0]
        raw.execute("UPDATE events SET payload = 'garbage' WHERE seq = 7")
    with opened(folder, read_only=True) as store:  # never fatal: its episode is not learned from
        assert len(store.episodes) == 9
        assert "row 7 of the ledger is not an event" in store.fold.set_aside[7]
    report = verify_store(folder)
    assert any("row 7 was changed" in p for p in report.problems)
    count, damaged = export_events(open_ledger(folder), folder / "saved.jsonl")
    assert count == total - 1
    assert damaged


def test_every_event_has_an_id_an_actor_an_origin_and_its_cause(taught: Path) -> None:
    rows = list(open_ledger(taught).read())
    assert [UUID(row.id).version for row in rows] == [7] * len(rows)
    assert [row.id for row in rows] == sorted(row.id for row in rows)
    assert {(row.actor, row.origin) for row in rows} == {("agent", "demonstration")}
    keys = {row.key for row in rows}
    assert all(set(row.parents) <= keys for row in rows)
    assert (
        sum(not row.parents for row in rows) == 4
    )  # only the beginning of an episode has no cause


def test_an_exact_copy_makes_the_same_ledger_and_a_damaged_or_foreign_one_is_refused(
    taught: Path, tmp_path: Path
) -> None:
    export_events(open_ledger(taught), tmp_path / "all.jsonl")
    rows = read_rows(tmp_path / "all.jsonl")
    with open_now(tmp_path / "copy") as store:
        assert store.restore(rows[:20]) == 20
        assert store.restore(rows) == len(rows) - 20
        assert store.restore(rows) == 0
    export_events(open_ledger(tmp_path / "copy"), tmp_path / "again.jsonl")
    assert (tmp_path / "again.jsonl").read_bytes() == (tmp_path / "all.jsonl").read_bytes()
    assert replay(tmp_path / "copy").state_hash == replay(taught).state_hash
    changed = [dict(row) for row in rows]
    changed[6]["payload"] = changed[6]["payload"].replace("You", "I", 1)
    with open_now(tmp_path / "new") as store:
        with pytest.raises(LedgerCorrupt, match="row 7"):
            store.restore(changed)
        assert store.ledger.head() == 0
    demonstrated(tmp_path / "other", [3])
    with (
        open_now(tmp_path / "other") as store,
        pytest.raises(LedgerCorrupt, match="another ledger"),
    ):
        store.restore(rows)
