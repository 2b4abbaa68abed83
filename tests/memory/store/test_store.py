"""The store: equal to its ledger at opening, whatever happened to what is derived from it."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from lichen.envs import make
from lichen.envs.errors import UsageError
from lichen.memory import Store, from_gold, import_demonstrations
from lichen.memory.forgetting.explain import (
    verify_store,
)
from lichen.memory.ledger.errors import StoreUnwritable
from lichen.memory.ledger.events import ContractSeen
from lichen.memory.ledger.ledger import Entry
from lichen.memory.ledger.records import EpisodeCase, StepCase
from lichen.memory.likeness.embedder import HashingEmbedder


def opened(folder: Path, *, read_only: bool = False) -> Store:
    return Store(folder, embedder=HashingEmbedder(), clock=lambda: 0.0, read_only=read_only)


def test_refolding_the_ledger_gives_the_same_state_bit_for_bit(folder: Path) -> None:
    with opened(folder) as store:
        first = store.state_hash()
        assert store.repaired == []
    (folder / "ledger.sqlite").rename(folder / "kept")
    shutil.rmtree(folder / "index")
    with opened(folder) as store:
        assert not store.episodes
    (folder / "kept").replace(folder / "ledger.sqlite")
    for rest in folder.glob("ledger.sqlite-*"):
        rest.unlink()
    with opened(folder) as store:
        assert store.state_hash() == first


def test_a_deleted_index_and_a_damaged_projection_are_repaired_and_named(folder: Path) -> None:
    shutil.rmtree(folder / "index")
    with sqlite3.connect(folder / "ledger.sqlite") as raw:
        raw.execute("UPDATE held SET payload = '{}' WHERE id IN (SELECT id FROM held LIMIT 3)")
    assert len(verify_store(folder).problems) == 3
    with opened(folder) as store:
        assert store.repaired == ["case table: 3 rows did not fit the ledger"]
        assert len(store.index(StepCase)) == len(store.steps)
        assert any(line.startswith("index steps") for line in store.repaired)
    assert verify_store(folder).problems == ()


def demonstrate(store: Store, first: int, last: int) -> None:
    environment = make("alfworld-mini")
    ids = [task.id for task in environment.tasks("train")][first:last]
    import_demonstrations(store, from_gold(environment, ids), run="gold")


def test_a_store_that_only_looks_sees_any_moment_and_changes_nothing(folder: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    with opened(folder, read_only=True) as store, opened(folder, read_only=True) as other:
        assert other.state_hash() == store.state_hash() and len(store.episodes) == 10
        assert len(store.index(StepCase)) == len(other.index(StepCase)) == len(store.steps)
        last = max(store.episodes.values(), key=lambda case: case.rank)
        (end,) = [row.seq for row in store.ledger.read() if row.key == last.events[-1]]
    with Store(folder, read_only=True, until=end - 1, embedder=HashingEmbedder()) as store:
        assert len(store.episodes) == store.ranks == 9 and store.whole(last.episode) is None
    now = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    logs = {folder / "ledger.sqlite-shm", folder / "ledger.sqlite-wal"}  # SQLite's own
    assert before == {path: at for path, at in now.items() if path not in logs}
    with pytest.raises(UsageError):
        Store(folder, until=3)
    with pytest.raises(StoreUnwritable, match="there is no store"):
        opened(folder / "nowhere", read_only=True)


def test_absorbing_bit_by_bit_is_folding_at_once_and_fills_the_open_indexes(
    folder: Path, tmp_path: Path
) -> None:
    with opened(folder) as at_once, opened(tmp_path / "slow") as slow:
        assert slow.absorb() == []
        began = slow.generation
        for number in range(10):
            demonstrate(slow, number, number + 1)
            assert slow.ranks == number + 1
            assert len(slow.index(StepCase)) == len(slow.steps)
        assert slow.state_hash() == at_once.state_hash()
        assert slow.idf.count == len(slow.steps) and slow.idf.frequency == at_once.idf.frequency
        assert slow.index(EpisodeCase).items() == at_once.index(EpisodeCase).items()
        some = next(iter(slow.steps.values()))
        left = {record.id for record in slow.records() if record.episode == some.episode}
        assert {record.id for record in slow.derived(some.episode)} == left
        assert slow.whole(some.episode) in slow.episodes.values()
        assert slow.generation == began  # nothing went


def test_trust_is_that_of_the_contracts_of_now_and_part_of_the_state(folder: Path) -> None:
    with opened(folder) as store:
        before = store.state_hash()
        case = next(case for case in store.steps.values() if case.call is not None)
        assert store.trust(case) == "verified" and case.call is not None
        seen = ContractSeen(env=case.env, tool=case.call.tool, schema_hash="another")
        store.append([Entry("contract", "doctor", "", seen)])
        store.absorb()
        assert store.trust(case) == "quarantined" and store.state_hash() != before
        back = ContractSeen(env=case.env, tool=case.call.tool, schema_hash=case.call.schema_hash)
        store.append([Entry("back", "doctor", "", back)])
        store.absorb()
        assert store.trust(case) == "verified" and store.state_hash() == before


async def test_finishing_an_episode_absorbs_bounds_and_tells_who_follows(folder: Path) -> None:
    told: list[tuple[int, int]] = []
    with opened(folder) as giver:
        rows = [row for row in giver.ledger.read() if row.event is not None]
    with Store(folder.parent / "b", embedder=HashingEmbedder(), capacity=2) as store:

        async def follower() -> None:
            told.append((store.ranks, len(store.episodes)))

        store.follow(follower)
        store.follow(follower)
        new: list[EpisodeCase] = []
        for name in list(dict.fromkeys(row.episode for row in rows if row.episode))[:4]:
            store.append(
                [
                    Entry(row.key, row.run, row.episode, row.event)
                    for row in rows
                    if row.episode == name and row.event is not None
                ]
            )
            new += await store.finish()
        assert [case.rank for case in new] == [0, 1, 2, 3]
        assert told == [(1, 1), (2, 2), (3, 2), (4, 2)]
        assert [case.rank for case in store.episodes.values()] == [
            2,
            3,
        ]  # of equals the oldest went
        assert len(store.evicted) == 2
