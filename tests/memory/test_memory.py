"""The ledger, the fold, the store and its index, with the real SQLite and the real Chroma."""

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lichen.agent.lab.placebo.memory_placebo import PlaceboMemory
from lichen.envs import make
from lichen.memory import CaseMemory, State, Store, from_gold, import_demonstrations, read_jsonl
from lichen.memory.forgetting.explain import (
    export_demonstrations,
    export_events,
    find_case,
    verify_store,
)
from lichen.memory.kinds.case_module import gains
from lichen.memory.ledger.errors import BadDemonstration, LedgerCorrupt, StoreInUse, StoreUnwritable
from lichen.memory.ledger.events import EpisodeEnded, EpisodeStarted, Event, Stepped
from lichen.memory.ledger.ledger import Entry, open_ledger
from lichen.memory.ledger.records import EpisodeCase, StepCase
from lichen.memory.likeness.embedder import HashingEmbedder, SentenceEmbedder
from lichen.memory.likeness.features import Idf
from lichen.memory.likeness.vector_index import IndexedItem, VectorIndex
from lichen.memory.recall.retriever import STRANGER, RetrieverConfig, rank
from lichen.memory.recall.value import advantages


def opened(folder: Path, *, read_only: bool = False) -> Store:
    return Store(folder, embedder=HashingEmbedder(), clock=lambda: 0.0, read_only=read_only)


def demonstrate(store: Store, n: int = 10) -> None:
    environment = make("alfworld-mini")
    ids = [task.id for task in environment.tasks("train")][:n]
    import_demonstrations(store, from_gold(environment, ids), run="gold")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with opened(tmp_path / "store") as store:
        demonstrate(store)
        assert len(store.index(StepCase)) == len(store.steps) > 40
        assert len(store.index(EpisodeCase)) == len(store.episodes) == 10
    return tmp_path / "store"


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


def test_an_unknown_outcome_and_an_evaluation_episode_never_become_cases(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.append(episode("unknown", "crashed"))
        store.append(episode("success", "evaluated", learn=False))
        assert store.absorb() == []
        store.append(episode("failure", "failed"))
        store.append(episode("success", "won"))
        assert [case.outcome for case in store.absorb()] == ["failure", "success"]
        assert store.ledger.head() == 12


def test_appending_twice_writes_once(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        assert store.append(episode("success")) == 3
        assert store.append(episode("success")) == 0
        assert store.ledger.head() == 3


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
        assert store.repaired == ["projection: 3 rows did not fit the ledger"]
        assert len(store.index(StepCase)) == len(store.steps)
        assert any(line.startswith("index steps") for line in store.repaired)
    assert verify_store(folder).problems == ()


def test_a_stale_index_entry_is_removed(folder: Path) -> None:
    with opened(folder) as store:
        some = next(iter(store.steps.values()))
        from lichen.memory.likeness.vector_index import IndexedItem

        store.index(StepCase).put(
            [IndexedItem("ghost", some.env, 0)], np.ones((1, 384), np.float32)
        )
    assert any("ghost" in p for p in verify_store(folder).problems)
    with opened(folder) as store:
        assert "ghost" not in {item.id for item in store.index(StepCase).items()}


def test_a_corrupt_ledger_row_is_named_and_the_sound_rows_can_be_saved(folder: Path) -> None:
    with sqlite3.connect(folder / "ledger.sqlite") as raw:
        total = raw.execute("SELECT count(*) FROM events").fetchone()[0]
        raw.execute("UPDATE events SET payload = 'garbage' WHERE seq = 7")
    with pytest.raises(LedgerCorrupt, match="row 7"):
        opened(folder)
    report = verify_store(folder)
    assert any("row 7 was changed" in p for p in report.problems)
    count, damaged = export_events(open_ledger(folder), folder / "saved.jsonl")
    assert count == total - 1
    assert damaged


def test_a_second_process_on_one_store_is_told_who_holds_it(folder: Path) -> None:
    code = (
        "from lichen.memory import Store\n"
        "from lichen.memory.likeness.embedder import HashingEmbedder\n"
        f"Store({str(folder)!r}, embedder=HashingEmbedder())"
    )
    with opened(folder):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        with opened(folder, read_only=True) as reader:  # looking is allowed
            assert len(reader.episodes) == 10
    assert "StoreInUse" in done.stderr
    with opened(folder) as store:
        with pytest.raises(StoreInUse, match="in use by process"):
            opened(folder)
        assert len(store.episodes) == 10


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StoreUnwritable, match="cannot be written"):
        opened(tmp_path / "file")


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


def test_reads_find_the_step_that_was_lived_and_exchange_the_entities(folder: Path) -> None:
    with opened(folder) as store:
        case = next(c for c in store.steps.values() if c.action.startswith("take spoon"))
        goal = case.state.goal.replace("spoon", "fork")
        state = State(
            goal=goal, text=case.state.text.replace("spoon", "fork"), recent=case.state.recent
        )
        hits = CaseMemory(store).read(state, env="alfworld-mini").hits
        assert hits[0].case.id == case.id
        assert hits[0].action.startswith("take fork")
        assert hits[0].similarity > 0.95
        actions = ["take fork 1 from countertop 2", "go to fridge 1", "look"]
        assert (
            int(
                np.argmax(
                    advantages(state, CaseMemory(store).read(state, env="alfworld-mini"), actions)
                )
            )
            == 0
        )


def test_far_states_abstain_and_other_environments_never_answer(folder: Path) -> None:
    with opened(folder) as store:
        memory = CaseMemory(store)
        far = State(goal="write a sonnet", text="An empty page lies there.")
        assert memory.read(far, env="alfworld-mini").abstained
        near = next(iter(store.steps.values())).state
        assert memory.read(near, env="twx").abstained
        assert not memory.read(near, env="alfworld-mini").abstained


def test_a_frozen_memory_sees_no_later_case(folder: Path) -> None:
    with opened(folder) as store:
        for state in [case.state for case in list(store.steps.values())[:20]]:
            hits = CaseMemory(store, first=3).read(state, env="alfworld-mini").hits
            assert all(hit.case.rank < 3 for hit in hits)
        assert CaseMemory(store, first=0).read(state, env="alfworld-mini").abstained
        before = CaseMemory(store, first=3).read(state, env="alfworld-mini")
        store.append(episode("success", "later"))
        store.absorb()
        assert CaseMemory(store, first=3).read(state, env="alfworld-mini") == before


def test_the_placebo_shows_as_many_cases_with_other_contents(folder: Path) -> None:
    with opened(folder) as store:
        state = next(iter(store.steps.values())).state
        honest = CaseMemory(store).read(state, env="alfworld-mini")
        shuffled = PlaceboMemory(store, rng=np.random.default_rng(0)).read(
            state, env="alfworld-mini"
        )
        again = PlaceboMemory(store, rng=np.random.default_rng(0)).read(state, env="alfworld-mini")
        assert len(honest.hits) == len(shuffled.hits)
        assert [h.case.id for h in honest.hits] != [h.case.id for h in shuffled.hits]
        assert shuffled == again


def test_demonstrations_are_marked_exported_and_read_again(folder: Path, tmp_path: Path) -> None:
    with opened(folder) as store:
        assert {case.source for case in store.episodes.values()} == {"demonstration"}
        first = store.state_hash()
    file = tmp_path / "shown.jsonl"
    assert export_demonstrations(open_ledger(folder), file) == (10, [])
    with opened(tmp_path / "other") as other:
        assert len(import_demonstrations(other, read_jsonl(file), run="import")) == 10
        assert import_demonstrations(other, read_jsonl(file), run="import") == []
        assert other.state_hash() == first
    file.write_text(file.read_text() + '{"env": "x"}\n')
    with pytest.raises(BadDemonstration, match=r"line 11 .* family"):
        read_jsonl(file)


def test_a_case_is_found_by_the_beginning_of_its_id(folder: Path) -> None:
    with opened(folder, read_only=True) as store:
        case = next(iter(store.episodes.values()))
        assert find_case(store, case.id[:10]) == case


def test_the_packaged_embedder_knows_meaning_and_is_asked_once_per_text(tmp_path: Path) -> None:
    with Store(tmp_path, embedder=SentenceEmbedder()) as store:
        a, b, c = store.embedder.encode(
            ["heat the apple", "warm up some fruit", "read the newspaper"]
        )
        assert a @ b > a @ c
        assert a.shape == (384,)
        store.embedder._inner = None  # type: ignore[assignment]  # what is cached needs no model
        assert np.array_equal(store.embedder.encode(["heat the apple"])[0], a)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.floats(0, 1))
def test_gains_stay_in_range_and_are_zero_when_nothing_is_gained(
    scores: list[float], final: float
) -> None:
    found = gains(scores, final)
    assert len(found) == len(scores)
    assert all(-1 <= g <= 1 for g in found)
    assert all(g == 0 for g in gains([final] * len(scores), final))


def test_a_case_is_adapted_to_the_likest_thing_that_can_be_done_here() -> None:
    case = StepCase(
        id="c",
        episode="e",
        rank=0,
        env="x",
        family="f",
        index=0,
        gain=1.0,
        source="demonstration",
        state=State(goal="find a plant", text="You see a tree."),
        action="focus on lemon tree",
        events=(),
    )
    here = State(goal="find a plant", text="You see a tree and a table.")
    config = RetrieverConfig()
    offered = ["focus on cherry tree", "focus on table", "wait"]
    hits = rank(here, [case], Idf(), config, family="f", admissible=offered)
    scores = advantages(here, hits, offered)
    assert scores.argmax() == 0
    other = rank(here, [case], Idf(), config, family="g", admissible=offered)
    assert other.hits[0].similarity == pytest.approx(STRANGER * hits.hits[0].similarity)


def test_two_indexes_of_the_same_cases_answer_alike_and_exactly(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    size = 6000
    vectors = rng.normal(size=(size, 32)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    items = [IndexedItem(f"{i:05d}", "x", i // 10) for i in range(size)]
    answers = []
    for name in ("one", "two"):
        index = VectorIndex(tmp_path / name, "steps")
        for start in range(0, size, 500):
            index.put(items[start : start + 500], vectors[start : start + 500])
        answers.append(
            [
                [x.id for x in index.near(query, n=96, env="x", below=below)]
                for query in vectors[:40]
                for below in (size, size // 20)
            ]
        )
        index.close()
    assert answers[0] == answers[1]
    exact = np.argsort(-(vectors @ vectors[0]), kind="stable")[:96]
    assert set(answers[0][0]) == {items[int(i)].id for i in exact}
