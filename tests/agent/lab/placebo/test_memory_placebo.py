"""The placebo finds as much as the honest memory and shows the contents of other cases."""

from pathlib import Path

import numpy as np
import pytest

from lichen.agent.lab.placebo.memory_placebo import PlaceboMemory
from lichen.envs import make
from lichen.memory import Store, from_gold
from lichen.memory.ledger.records import EpisodeCase, StepCase
from lichen.memory.likeness.embedder import HashingEmbedder, open_embedder
from lichen.memory.recall.case_memory import CaseMemory
from lichen.memory.recall.retriever import RetrieverConfig
from lichen.memory.store.demonstrations import (
    DemonstratedStep,
    Demonstration,
    import_demonstrations,
)


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


@pytest.fixture
def office(tmp_path: Path) -> Path:
    with Store(tmp_path, embedder=open_embedder("minilm"), clock=lambda: 0.0) as store:
        found = [shown(i, goal) for i, goal in enumerate(GOALS)]
        import_demonstrations(store, found, run="x")
    return tmp_path


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
