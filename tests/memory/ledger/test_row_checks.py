"""A copy of a ledger is looked at whole before any of it is written; a bad row is never fatal later."""

import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from lichen.envs.errors import BadFile
from lichen.memory.forgetting.explain import export_events, verify_store
from lichen.memory.forgetting.forget import forget
from lichen.memory.ledger.errors import BadDemonstration, LedgerCorrupt
from lichen.memory.ledger.event_rows import digest, link
from lichen.memory.ledger.ledger import open_ledger
from lichen.memory.ledger.records import StepCase
from lichen.memory.ledger.row_checks import read_rows
from lichen.memory.store.demonstrations import read_jsonl

from ..conftest import open_now


def copied(taught: Path, to: Path) -> list[dict[str, Any]]:
    """Export a ledger and return its rows as they stand in the file."""
    export_events(open_ledger(taught), to)
    return [json.loads(line) for line in to.read_text(encoding="utf-8").splitlines()]


def written(rows: list[Any], to: Path) -> Path:
    """Write rows to a file."""
    to.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return to


def chained(rows: list[dict[str, Any]], seq: int, **said: object) -> list[dict[str, Any]]:
    """Return rows in which one event says something else, its hashes made again as an attacker would."""
    rows, chain = [dict(row) for row in rows], ""
    row = rows[seq - 1]
    row["payload"] = json.dumps(json.loads(row["payload"]) | said)
    row["digest"] = digest(row["payload"])
    for row in rows:
        chain = row["chain"] = link(chain, row)
    return rows


@pytest.mark.parametrize(
    "said",
    [
        {"step": -5},
        {"step": 10**30},
        {"score_after": 1e308},
        {"score_before": -0.1},
        {"score_after": float("nan")},
        {"type": "nothing"},
        {"text": None},
    ],
)
def test_a_chained_row_that_is_out_of_bounds_is_refused_and_the_store_stays_as_it_was(
    taught: Path, tmp_path: Path, said: dict[str, object]
) -> None:
    rows = chained(copied(taught, tmp_path / "all.jsonl"), 2, **said)
    with open_now(tmp_path / "new") as store:
        with pytest.raises(LedgerCorrupt, match="the copy .* row 2"):
            store.restore(read_rows(written(rows, tmp_path / "bad.jsonl")))
        assert store.ledger.head() == 0 and store.records() == []


def test_a_bad_row_of_an_existing_ledger_is_named_and_set_aside(
    taught: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = chained(copied(taught, tmp_path / "all.jsonl"), 2, step=-5)
    with sqlite3.connect(taught / "ledger.sqlite") as raw:  # an earlier Lichen took it
        raw.execute("DELETE FROM events")
        for row in rows:
            raw.execute(f"INSERT INTO events VALUES ({','.join('?' * 12)})", tuple(row.values()))
    with open_now(taught) as store:
        assert len(store.episodes) == 3 and list(store.fold.set_aside) == [2]
        assert "row 2 of the ledger is not an event" in caplog.text
        forget(store, rows[1]["episode"])  # what is damaged can still be forgotten
        assert len(store.episodes) == 3 and store.fold.set_aside == {}
    assert verify_store(taught).problems == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"payload": None}, "payload"),
        ({"seq": "3"}, "seq"),
        ({"seq": True}, "seq"),
        ({"at": float("nan")}, "at"),
        ({"chain": ["x"]}, "chain"),
    ],
)
def test_a_line_of_another_form_is_named(
    taught: Path, tmp_path: Path, change: dict[str, object], said: str
) -> None:
    rows = copied(taught, tmp_path / "all.jsonl")
    rows[2] |= change
    with pytest.raises(BadFile, match=f"line 3 of .*bad.jsonl is no row of a ledger: {said}"):
        read_rows(written(rows, tmp_path / "bad.jsonl"))


def test_doubles_deep_json_and_files_of_the_other_kind_are_told_in_one_sentence(
    taught: Path, tmp_path: Path
) -> None:
    rows = copied(taught, tmp_path / "all.jsonl")
    for name in ("id", "key"):
        double = [*rows[:4], rows[4] | {name: rows[3][name]}]
        with pytest.raises(BadFile, match=f"line 5 of .* has the same {name} as line 4"):
            read_rows(written(double, tmp_path / "bad.jsonl"))
    for text in ("[" * 100_000 + "]" * 100_000, "7", "{"):
        (tmp_path / "bad.jsonl").write_text(text + "\n", encoding="utf-8")
        with pytest.raises(BadFile, match=r"line 1 of .* is no row of a ledger"):
            read_rows(tmp_path / "bad.jsonl")
    with pytest.raises(BadFile, match="line 2 of .* half of a surrogate pair"):
        read_rows(written([rows[0], rows[1] | {"run": "\ud800"}], tmp_path / "bad.jsonl"))
    shown = written([{"env": "x", "steps": [], "goal": "g"}], tmp_path / "shown.jsonl")
    with pytest.raises(BadFile, match="is a demonstration") as caught:
        read_rows(shown)
    assert "memory import" in caught.value.__notes__[0]
    with pytest.raises(BadDemonstration, match="is a row of a ledger"):
        read_jsonl(tmp_path / "all.jsonl")


def test_parents_that_are_no_list_and_half_a_surrogate_are_damage_and_no_crash(
    taught: Path, tmp_path: Path
) -> None:
    rows = copied(taught, tmp_path / "all.jsonl")
    for change in ({"parents": "null"}, {"payload": rows[1]["payload"].replace("You", "\\ud800")}):
        bad = [rows[0], rows[1] | change, *rows[2:]]
        with open_now(tmp_path / "new") as store, pytest.raises(LedgerCorrupt, match="row 2"):
            store.restore(read_rows(written(bad, tmp_path / "bad.jsonl")))


def test_the_files_of_a_store_are_its_owners_alone_and_others_are_left(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x", encoding="utf-8")
    (tmp_path / "mine.txt").chmod(0o644)
    before = os.umask(0o022)
    try:
        with open_now(tmp_path) as store:
            assert len(store.index(StepCase)) == 0
    finally:
        os.umask(before)
    modes = {p.name: p.stat().st_mode & 0o777 for p in tmp_path.iterdir()}
    assert modes.pop("mine.txt") == 0o644
    assert modes["ledger.sqlite"] == 0o600 and all(not mode & 0o077 for mode in modes.values())
