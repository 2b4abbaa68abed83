"""A full memory lets the least useful episode go."""

from pathlib import Path

from lichen.memory import Store
from lichen.memory.forgetting.explain import verify_store
from lichen.memory.ledger.records import EpisodeCase
from lichen.memory.likeness.embedder import HashingEmbedder
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


def opened(folder: Path, *, read_only: bool = False) -> Store:
    return Store(folder, embedder=HashingEmbedder(), clock=lambda: 0.0, read_only=read_only)


def goals(memory: CaseMemory, asked: str, k: int = 3, **options: str) -> list[str]:
    return [case.goal for case, _ in memory.episodes(asked, env="office", k=k, **options)]


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
