"""Whole-case reads: two stages, hybrid, diversity, no self-retrieval; bounded banks; TD credit; snapshots."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from lichen.agent.lab.placebo.memory_placebo import PlaceboMemory
from lichen.memory import Store
from lichen.memory.forgetting.explain import verify_store
from lichen.memory.forgetting.forget import forget
from lichen.memory.ledger.ledger import Entry
from lichen.memory.ledger.records import EpisodeCase, State, StepCase
from lichen.memory.likeness.embedder import HashingEmbedder, open_embedder
from lichen.memory.likeness.lexical import BM25
from lichen.memory.recall.case_memory import CaseMemory
from lichen.memory.recall.retriever import RetrieverConfig
from lichen.memory.store.demonstrations import (
    DemonstratedStep,
    Demonstration,
    import_demonstrations,
)
from lichen.memory.store.replay import replay

GOALS = (
    "sort the quarterly report by date",
    "sort the quarterly report by name",
    "sort the quarterly report by size",
    "sort the quarterly report by owner",
    "send invoice AX-7731 to the customer",
    "water the plants in the hall",
)


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


def opened(folder: Path) -> Store:
    return Store(folder, embedder=HashingEmbedder(), clock=lambda: 0.0)


@pytest.fixture
def office(tmp_path: Path) -> Path:
    with Store(tmp_path, embedder=open_embedder("minilm"), clock=lambda: 0.0) as store:
        found = [shown(i, goal) for i, goal in enumerate(GOALS)]
        import_demonstrations(store, found, run="x")
    return tmp_path


def goals(memory: CaseMemory, asked: str, k: int = 3, **options: str) -> list[str]:
    return [case.goal for case, _ in memory.episodes(asked, env="office", k=k, **options)]


def test_a_whole_read_has_a_gate_and_leaves_its_own_task_out(
    office: Path,
) -> None:
    asked = "sort the quarterly report by date and time"
    with Store(office, embedder=open_embedder("minilm")) as store:
        plain = CaseMemory(store)
        assert goals(plain, asked)[0] == GOALS[0] and len(goals(plain, asked)) == 3
        assert GOALS[0] not in goals(plain, asked, task_id="office/0")
        allowed = CaseMemory(store, RetrieverConfig(same_task=True))
        assert GOALS[0] in goals(allowed, asked, task_id="office/0")
        strict = CaseMemory(store, RetrieverConfig(delta=0.95))
        assert goals(strict, "bake a chocolate cake") == []
        frozen = CaseMemory(store, RetrieverConfig(delta=0.0), first=2)
        assert set(goals(frozen, asked, k=6)) == set(GOALS[:2])


def test_bm25_ranks_rare_words_first_and_knows_nothing_of_others() -> None:
    index = BM25()
    for number, goal in enumerate(GOALS):
        index.add(str(number), goal)
    found = index.scores("the invoice of the hall")
    assert list(found)[:2] == ["4", "5"] or list(found)[:2] == ["5", "4"]
    assert index.scores("unheard") == {}
    assert list(index.scores("report", keep=lambda name: name == "2")) == ["2"]


def test_a_full_memory_lets_the_least_useful_go_and_leaves_a_record(office: Path) -> None:
    with opened(office) as store:
        import_demonstrations(store, [shown(99, "fail at something", score=0.0)], run="x")
        assert len(store.index(EpisodeCase)) == 7
        store.capacity = 5
        gone = store.bound()
        assert len(store.episodes) == 5 and len(gone) == 2
        assert gone[0].utility == 0.0 and gone[0].capacity == 5  # the failure went first
        kept = {case.goal for case in store.episodes.values()}
        assert "fail at something" not in kept and GOALS[0] not in kept  # then the oldest
        assert len(store.index(EpisodeCase)) == 5
        assert set(store.evicted) == {event.target for event in gone}
        assert store.bound() == []
        state = store.state_hash()
        assert GOALS[1] in goals(CaseMemory(store, RetrieverConfig(delta=0)), GOALS[1])
    assert not verify_store(office).problems
    assert replay(office).state_hash == state
    assert len(list(replay(office).problems)) == 0


def step(episode: str, index: int, text: str, action: str, gain: float) -> StepCase:
    return StepCase(
        id=f"{episode}{index}",
        episode=episode,
        rank=0,
        env="e",
        family="f",
        index=index,
        state=State(goal="find the gem", text=text),
        action=action,
        gain=gain,
        source="own",
        events=(),
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
        assert any("projection" in line for line in store.repaired)
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


def test_an_episode_that_was_let_go_can_still_be_forgotten_and_leaves_nothing(office: Path) -> None:
    with opened(office) as store:
        store.capacity = 5
        store.bound()
        gone = next(iter(store.evicted))
        forget(store, gone, cascade=True, reason="asked to")
    content = b"".join(path.read_bytes() for path in office.rglob("*") if path.is_file())
    assert GOALS[0].encode() not in content and GOALS[1].encode() in content
    assert not verify_store(office).problems


def test_after_an_eviction_a_view_knows_what_a_restarted_one_knows(office: Path) -> None:
    config = RetrieverConfig(delta=0)
    with opened(office) as store:
        live = CaseMemory(store, config)
        before = [case.goal for case, _ in live.episodes("report", env="office", k=6)]
        store.capacity = 3
        store.settle()
        after = live.episodes("report", env="office", k=6)
    with opened(office) as store:
        assert after == CaseMemory(store, config).episodes("report", env="office", k=6)
    assert len(before) == 6 and len(after) == 3


def test_a_placebo_never_shows_a_case_in_its_own_place(office: Path) -> None:
    with opened(office) as store:
        for first in range(1, 7):
            for seed in range(5):
                rng = np.random.default_rng(seed)
                view = PlaceboMemory(store, RetrieverConfig(delta=0), first=first, rng=rng)
                plain = CaseMemory(store, RetrieverConfig(delta=0), first=first)
                honest = plain.episodes(GOALS[0], env="office", k=6)
                other = view.episodes(GOALS[0], env="office", k=6)
                assert all(a[0].id != b[0].id for a, b in zip(honest, other, strict=False))
                assert len(other) == (len(honest) if first > 1 else 0)
