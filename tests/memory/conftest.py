"""Stores to read from: with demonstrations, conversations, tools; the real SQLite and the real Chroma."""

from pathlib import Path

import pytest

from lichen.envs import Functions, Request, Tool, load_suite, make
from lichen.memory.ledger.records import EpisodeCase, StepCase
from lichen.memory.likeness.embedder import HashingEmbedder, open_embedder
from lichen.memory.store.demonstrations import (
    DemonstratedStep,
    Demonstration,
    from_gold,
    import_demonstrations,
)
from lichen.memory.store.store import Store


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


def gold_of(n: int = 4) -> list[Demonstration]:
    environment = make("alfworld-mini")
    return list(from_gold(environment, [task.id for task in environment.tasks("train")][:n]))


@pytest.fixture
def four(tmp_path: Path) -> Path:
    with opened(tmp_path / "store") as store:
        import_demonstrations(store, gold_of(), run="gold")
        assert len(store.index(StepCase)) == len(store.steps)
        assert len(store.index(EpisodeCase)) == 4
    return tmp_path / "store"


def open_now(folder: Path, **options: object) -> Store:
    return Store(folder, embedder=HashingEmbedder(), **options)  # type: ignore[arg-type]


def demonstrated(folder: Path, which: list[int]) -> None:
    environment = make("alfworld-mini")
    ids = [task.id for task in environment.tasks("train")]
    with open_now(folder) as store:
        import_demonstrations(store, from_gold(environment, [ids[i] for i in which]), run="gold")


@pytest.fixture
def taught(tmp_path: Path) -> Path:
    demonstrated(tmp_path / "store", [0, 1, 2, 3])
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


STOCK = {"red lamp": 3, "blue chair": 0, "green table": 12}


def count(item: str) -> int:
    """Say how many pieces of an item are in stock."""
    if item not in STOCK:
        raise KeyError(item)
    return STOCK[item]


def price(item: str, currency: str = "EUR") -> float:
    """Say what an item costs."""
    return float(len(item))


def shop(*, version: str = "1", functions: tuple[str, ...] = ("count", "price")) -> Functions:
    tools = {"count": Tool(count, version=version), "price": Tool(price)}
    requests = [
        Request(
            name.replace(" ", "-"),
            f"How many pieces of '{name}' are there?",
            lambda answer, n=n: str(n) in answer,  # type: ignore[misc]
        )
        for name, n in STOCK.items()
    ]
    return Functions("shop", [tools[name] for name in functions], requests)


def lived(environment: Functions, task_id: str, actions: list[str]) -> Demonstration:
    """Play actions and return the episode, as a demonstration."""
    environment.gold = lambda: tuple(actions)  # type: ignore[method-assign]
    return next(iter(from_gold(environment, [task_id])))


@pytest.fixture
def stocked(tmp_path: Path) -> Path:
    """Remember two episodes that counted, one of them after a failure, and one that asked for the price."""
    with opened(tmp_path) as store:
        found = [
            lived(shop(), "shop/red-lamp", ["count(item='red lamp')", "finish(answer='3')"]),
            lived(
                shop(),
                "shop/green-table",
                ["count(item='table')", "count(item='green table')", "finish(answer='12')"],
            ),
            lived(shop(), "shop/blue-chair", ["price(item='blue chair')", "finish(answer='0')"]),
        ]
        import_demonstrations(store, found, run="x")
    return tmp_path


@pytest.fixture(scope="module")
def conversations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bfcl")
    environment = make("bfcl")
    with opened(folder) as store:
        ids = load_suite("bfcl").task_ids("train", 40)
        import_demonstrations(store, from_gold(environment, ids), run="gold")
    return folder
