"""The ledger's form, replay and as-of, exact copies, and forgetting."""

import sqlite3
from pathlib import Path
from uuid import UUID

import pytest

from lichen.envs import UsageError, make
from lichen.memory.forgetting.explain import export_events, read_rows, verify_store
from lichen.memory.forgetting.forget import forget
from lichen.memory.forgetting.made_from import MANIFEST, derived_from, made_from, remove_derived
from lichen.memory.ledger.errors import LedgerCorrupt, StoreUnwritable
from lichen.memory.ledger.events import Recalled, RecalledItem
from lichen.memory.ledger.ledger import Entry, open_ledger
from lichen.memory.ledger.records import StepCase
from lichen.memory.likeness.embedder import HashingEmbedder
from lichen.memory.recall.case_memory import CaseMemory
from lichen.memory.store.demonstrations import from_gold, import_demonstrations
from lichen.memory.store.replay import compare, moment, replay
from lichen.memory.store.store import Store


def opened(folder: Path, **options: object) -> Store:
    return Store(folder, embedder=HashingEmbedder(), **options)  # type: ignore[arg-type]


def demonstrated(folder: Path, which: list[int]) -> None:
    environment = make("alfworld-mini")
    ids = [task.id for task in environment.tasks("train")]
    with opened(folder) as store:
        import_demonstrations(store, from_gold(environment, [ids[i] for i in which]), run="gold")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    demonstrated(tmp_path / "store", [0, 1, 2, 3])
    return tmp_path / "store"


def second(store: Store) -> str:
    return next(case.id for case in store.episodes.values() if case.rank == 1)


def test_every_event_has_an_id_an_actor_an_origin_and_its_cause(folder: Path) -> None:
    rows = list(open_ledger(folder).read())
    assert [UUID(row.id).version for row in rows] == [7] * len(rows)
    assert [row.id for row in rows] == sorted(row.id for row in rows)
    assert {(row.actor, row.origin) for row in rows} == {("agent", "demonstration")}
    keys = {row.key for row in rows}
    assert all(set(row.parents) <= keys for row in rows)
    assert (
        sum(not row.parents for row in rows) == 4
    )  # only the beginning of an episode has no cause


def test_forgetting_leaves_exactly_the_state_that_never_held_it(
    folder: Path, tmp_path: Path
) -> None:
    demonstrated(tmp_path / "without", [0, 2, 3])
    with opened(tmp_path / "without") as store:
        wanted = store.state_hash()
    with opened(folder) as store:
        gone = store.episodes[second(store)]
        steps = [case for case in store.steps.values() if case.episode == gone.episode]
        assert len(store.index(StepCase)) == len(store.steps)
        found = forget(store, gone.id, cascade=True)
        assert (found.steps, found.done) == (len(steps), True)
        assert store.state_hash() == wanted
        memory = CaseMemory(store)
        for case in steps:  # probes: nothing brings it back
            hits = memory.read(case.state, env=case.env)
            assert gone.episode not in {hit.case.episode for hit in hits.hits}
        assert gone.id not in {c.id for c, _ in memory.episodes(gone.goal, env=gone.env, k=9)}
    assert replay(folder, compare=True).state_hash == wanted
    assert verify_store(folder).problems == ()
    content = b"".join(p.read_bytes() for p in folder.rglob("*") if p.is_file())
    said = {case.state.text for case in steps} - _texts(folder)
    assert said
    assert all(text.encode() not in content for text in said)


def _texts(folder: Path) -> set[str]:
    with opened(folder, read_only=True) as store:
        return {case.state.text for case in store.steps.values()}


def test_what_was_forgotten_is_refused_when_it_comes_again(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(folder) as store:
        gone = store.episodes[second(store)]
        forget(store, gone.id, cascade=True)
        environment = make("alfworld-mini")
        assert import_demonstrations(store, from_gold(environment, [gone.task_id]), run="x") == []
        assert "forgotten before" in caplog.text
        assert store.repaired == []  # to forget is no damage
        assert len(store.episodes) == 3
        assert store.forgot(gone.task_id, gone.actions)


def test_a_dry_run_and_a_missing_cascade_change_nothing_and_dependants_are_flagged(
    folder: Path,
) -> None:
    with opened(folder) as store:
        name = second(store)
        episode = store.episodes[name].episode
        step = next(case.id for case in store.steps.values() if case.episode == episode)
        seen = Recalled(
            step=0,
            considered=1,
            items=(RecalledItem(case=step, exposed=True, similarity=1.0, propensity=1.0),),
            abstained=False,
        )
        store.append([Entry("later/recall-0", "run", "later", seen)])
        before, head = store.state_hash(), store.ledger.head()
        assert forget(store, step, dry_run=True).dependants == ("later",)
        with pytest.raises(UsageError, match="1 episodes saw"):
            forget(store, name)
        assert (store.state_hash(), store.ledger.head()) == (before, head)
        forget(store, name, cascade=True)
        assert store.fold.flagged == {"later": episode}


def test_content_that_vanished_without_being_forgotten_is_damage(folder: Path) -> None:
    with sqlite3.connect(folder / "ledger.sqlite") as raw:
        raw.execute("UPDATE events SET payload = '' WHERE seq = 5")
    assert any("row 5 lost its content" in p for p in verify_store(folder).problems)


def test_the_past_can_be_read_by_row_id_key_and_time(folder: Path) -> None:
    rows = list(open_ledger(folder).read())
    end = next(row for row in rows if row.key.endswith("/end"))
    assert moment(folder, end.key) == moment(folder, end.id) == moment(folder, str(end.seq))
    assert replay(folder, as_of=end.key).episodes == 1
    assert replay(folder, as_of="1999-01-01").episodes == 0
    assert replay(folder).episodes == 4
    changed = compare(folder, end.key, rows[-1].key)
    assert (len(changed.came), len(changed.went)) == (3, 0)
    with pytest.raises(UsageError, match="no moment"):
        replay(folder, as_of="yesterday-ish")
    with pytest.raises(UsageError, match="cannot be verified"):
        replay(folder, as_of=end.key, compare=True)


def test_an_exact_copy_makes_the_same_ledger_and_a_damaged_or_foreign_one_is_refused(
    folder: Path, tmp_path: Path
) -> None:
    export_events(open_ledger(folder), tmp_path / "all.jsonl")
    rows = read_rows(tmp_path / "all.jsonl")
    with opened(tmp_path / "copy") as store:
        assert store.ledger.restore(rows[:20]) == 20
        assert store.ledger.restore(rows) == len(rows) - 20
        assert store.ledger.restore(rows) == 0
    export_events(open_ledger(tmp_path / "copy"), tmp_path / "again.jsonl")
    assert (tmp_path / "again.jsonl").read_bytes() == (tmp_path / "all.jsonl").read_bytes()
    assert replay(tmp_path / "copy").state_hash == replay(folder).state_hash
    changed = [dict(row) for row in rows]
    changed[6]["payload"] = changed[6]["payload"].replace("You", "I", 1)
    with opened(tmp_path / "new") as store:
        with pytest.raises(LedgerCorrupt, match="row 7"):
            store.ledger.restore(changed)
        assert store.ledger.head() == 0
    demonstrated(tmp_path / "other", [3])
    with opened(tmp_path / "other") as store, pytest.raises(LedgerCorrupt, match="another ledger"):
        store.ledger.restore(rows)


OLD = """CREATE TABLE events (seq INTEGER NOT NULL PRIMARY KEY, key TEXT NOT NULL UNIQUE, run TEXT NOT NULL,
episode TEXT NOT NULL, payload TEXT NOT NULL, at FLOAT NOT NULL, chain TEXT NOT NULL)"""


def test_what_was_made_from_an_episode_goes_and_no_ledger_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (".", "made", "made/within", "copy"):
        made_from(tmp_path / name, ["e1"])
    (tmp_path / "copy" / "run").mkdir()
    (tmp_path / "copy" / "run" / "ledger.sqlite").touch()
    found = [tmp_path / "made", tmp_path / "made" / "within"]
    assert derived_from(tmp_path, "e1") == found
    with monkeypatch.context() as patch:
        patch.setattr("shutil.rmtree", lambda path, **more: (path / MANIFEST).unlink())
        with pytest.raises(StoreUnwritable, match="cannot be removed"):
            remove_derived(tmp_path, "e1")
    assert derived_from(tmp_path, "e1") == found  # what is left is found again
    assert remove_derived(tmp_path, "e1") == found and not (tmp_path / "made").exists()
    assert (tmp_path / "copy" / "run" / "ledger.sqlite").exists()
