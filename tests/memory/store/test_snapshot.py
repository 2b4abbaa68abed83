"""Snapshots open to the same state, or are left aside."""

import sqlite3
from pathlib import Path

from lichen.memory import Store
from lichen.memory.forgetting.forget import forget
from lichen.memory.ledger.ledger import Entry
from lichen.memory.likeness.embedder import HashingEmbedder
from lichen.memory.store.demonstrations import (
    DemonstratedStep,
    Demonstration,
    import_demonstrations,
)
from lichen.memory.store.replay import replay


def shown(number: int, goal: str, score: float = 1.0) -> Demonstration:
    step = DemonstratedStep(
        text=f"You see room {number}.",
        action="wait",
        observation="ok",
        score_before=0,
        score_after=score,
    )
    return Demonstration(
        env="office",
        family="desk",
        task_id=f"office/{number}",
        goal=goal,
        steps=(step,),
        outcome="success" if score == 1 else "failure",
        score=score,
    )


def opened(folder: Path, *, read_only: bool = False) -> Store:
    return Store(folder, embedder=HashingEmbedder(), clock=lambda: 0.0, read_only=read_only)


GOALS = (
    "sort the quarterly report by date",
    "sort the quarterly report by name",
    "sort the quarterly report by size",
    "sort the quarterly report by owner",
    "send invoice AX-7731 to the customer",
    "water the plants in the hall",
)


def test_a_snapshot_opens_to_the_same_state_and_is_left_aside_when_it_does_not_fit(
    office: Path,
) -> None:
    with opened(office) as store:
        state = store.state_hash()
        order = list(store.steps)
        store.snapshot()
        import_demonstrations(store, [shown(50, "a later one")], run="x")
        later = store.state_hash()
    with opened(office) as store:  # from the snapshot, and on
        assert store._snapshots.seq > 0 and store.repaired == []
        assert store.state_hash() == later != state
        assert list(store.steps)[: len(order)] == order
        assert store.idf.count == len(store.steps)
    with sqlite3.connect(office / "ledger.sqlite") as raw:
        raw.execute("UPDATE held SET payload = replace(payload, 'invoice', 'ransom')")
    with opened(office) as store:
        assert store._snapshots.seq == 0  # its hash does not fit: folded again
        assert store.state_hash() == later
        assert any("case table" in line for line in store.repaired)
        store.snapshot()
        some = next(iter(store.episodes))
        forget(store, some, cascade=True)
    with sqlite3.connect(office / "ledger.sqlite") as raw:
        assert raw.execute("SELECT count(*) FROM snapshots").fetchone() == (0,)
    with opened(office) as store:
        assert some not in store.episodes
    assert not replay(office, compare=True).problems


def test_a_snapshot_in_the_middle_of_an_episode_goes_on_with_it(tmp_path: Path) -> None:
    from lichen.memory.store.demonstrations import _entries

    entries = list(_entries(shown(1, "half done"), "demo-half", "x"))
    with opened(tmp_path) as store:
        import_demonstrations(store, [shown(0, GOALS[0])], run="x")
        store.append(entries[:2])
        store.absorb()
        store.snapshot()
    with opened(tmp_path) as store:
        assert store._snapshots.seq > 0 and len(store.episodes) == 1
        store.append(entries[2:])
        assert [case.goal for case in store.absorb()] == ["half done"]
    assert not replay(tmp_path, compare=True).problems


def test_what_a_judge_was_worth_is_counted_once_also_from_a_snapshot(tmp_path: Path) -> None:
    from lichen.memory.ledger.events import Judged
    from lichen.memory.store.demonstrations import _entries

    entries = list(_entries(shown(1, "half done"), "demo-half", "x"))
    judged = Entry("demo-half/judged", "x", "demo-half", Judged(said=True, truth=True))
    with opened(tmp_path) as store:
        store.append([*entries[:2], judged])
        store.absorb()
        assert store.fold.judge.right_yes == 1
        store.snapshot()
    with opened(tmp_path) as store:
        assert store._snapshots.seq > 0 and store.fold.judge.right_yes == 1
    with sqlite3.connect(tmp_path / "ledger.sqlite") as raw:
        raw.execute("UPDATE snapshots SET body = substr(body, 1, 40)")
    with opened(tmp_path) as store:  # an unreadable snapshot is none
        assert store._snapshots.seq == 0 and store.fold.judge.right_yes == 1
