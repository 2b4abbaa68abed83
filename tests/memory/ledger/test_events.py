"""Old forms of events are read, and never rewritten."""

import json
import time
from pathlib import Path

import pytest

from lichen.memory.forgetting.explain import export_events
from lichen.memory.ledger.event_rows import events, make_row
from lichen.memory.ledger.events import Recalled, RecalledItem, parse
from lichen.memory.ledger.ledger import Ledger
from lichen.memory.ledger.row_checks import read_rows
from lichen.memory.ledger.sqlite import open_sqlite, transaction

FIRST = {
    "version": 1,
    "type": "recalled",
    "step": 3,
    "considered": 5,
    "exposed": ["a", "b"],
    "similarity": [0.9, 0.5],
    "propensity": [1.0, 0.8],
    "abstained": False,
    "held": ["c"],
    "held_propensity": [0.8],
    "grain": "episodes",
}
ITEMS = (
    RecalledItem(case="a", exposed=True, similarity=0.9, propensity=1.0),
    RecalledItem(case="b", exposed=True, similarity=0.5, propensity=0.8),
    RecalledItem(case="c", exposed=False, propensity=0.8),
)


def test_a_read_of_version_1_is_read_as_items() -> None:
    event = parse(json.dumps(FIRST))
    assert event == Recalled(step=3, considered=5, items=ITEMS, abstained=False, grain="episodes")
    assert event.shown == ITEMS[:2] and event.held == ITEMS[2:]
    oldest = {name: value for name, value in FIRST.items() if "held" not in name}
    assert parse(json.dumps(oldest)) == event.model_copy(update={"items": ITEMS[:2]})
    assert parse(event.model_dump_json()) == event


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": 3},
        {"similarity": [0.9]},
        {"held_propensity": []},
        {"extra": 1},
        {"exposed": None},
        {"version": 2},
    ],
)
def test_a_read_that_is_of_no_known_form_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        parse(json.dumps(FIRST | wrong))


def test_an_old_row_is_exported_and_restored_as_it_was_written(tmp_path: Path) -> None:
    payload = json.dumps(FIRST, indent=1)  # not the spelling that this Lichen would write
    row = make_row(
        "",
        seq=1,
        key="e/recall-3",
        run="r",
        episode="e",
        actor="agent",
        origin="own",
        parents=(),
        payload=payload,
        at=0.0,
    )
    ledgers = []
    for name in ("old", "copy"):
        (tmp_path / name).mkdir()
        engine = open_sqlite(tmp_path / name / "ledger.sqlite", read_only=False)
        ledgers.append(Ledger(engine, time.time))
        copy_engine = engine
        ledgers[-1].create()
        if name == "old":
            with engine.begin() as connection:
                connection.execute(events.insert(), [row])
    old, copy = ledgers
    assert export_events(old, tmp_path / "rows.jsonl") == (1, [])
    with transaction(copy_engine) as connection:
        assert copy.restore(connection, read_rows(tmp_path / "rows.jsonl")) == 1
    assert list(copy.raw()) == list(old.raw()) == [row]
    assert copy.damage() == []
    assert [r.event for r in copy.read()] == [parse(payload)]
