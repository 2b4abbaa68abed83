"""Where a projection lies: an exchange that was cut in two is finished."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from lichen.agent.llm.frozen import Frozen
from lichen.agent.llm.local_llm import LocalLLM
from lichen.agent.open_agent import OpenAgent
from lichen.agent.softcot import TrainConfig
from lichen.agent.softcot.checkpoint import CARD
from lichen.agent.softcot.places import ASIDE, FOLDER, PREVIOUS, exchange, keep_previous, mend
from lichen.agent.softcot.soft_assistant import SoftAssistant
from lichen.agent.softcot.sources import open_source
from lichen.agent.softcot.train import Trainer
from lichen.envs.suite import load_suite
from lichen.memory.store.demonstrations import from_gold, import_demonstrations


@pytest.fixture(scope="session")
def remembered(tmp_path_factory: pytest.TempPathFactory, tiny_folder: Path) -> Path:
    """A store with seven episodes, and a projection of the tiny model trained from some of them."""
    folder = tmp_path_factory.mktemp("hints") / "store"
    with opened(folder, tiny_folder) as agent:
        environment = agent.environment(load_suite("alfworld-mini"))
        ids = [task.id for task in environment.tasks("train")][:7]
        import_demonstrations(agent.store, from_gold(environment, ids), run="gold")
        config = agent.config
    tiny = Frozen("tiny", *_parts(tiny_folder))
    source = open_source("own", config, examples=99, held_out=12, demonstrations=True)
    trainer = Trainer(
        SoftAssistant(tiny, folder / "softcot" / "states"),
        tiny,
        source.learned[:8],
        config=TrainConfig(n=(4,), epochs=1),
    )
    trainer.run(folder / FOLDER)
    return folder


def _parts(folder: Path) -> tuple[object, object]:
    from lichen.agent.llm.loading import LocalConfig
    from lichen.agent.llm.loading import load as loaded

    return loaded(str(folder), LocalConfig())


def opened(folder: Path, model: Path) -> OpenAgent:
    """Return an agent with the tiny model."""
    return OpenAgent.from_config(store=folder, model=str(model), embedder="hashing")


@pytest.fixture
def llm(tiny_folder: Path) -> Iterator[LocalLLM]:
    """A client of the tiny model."""
    made = LocalLLM(str(tiny_folder))
    yield made
    asyncio.run(made.close())


def copied(remembered: Path, tmp_path: Path) -> Path:
    """Return a copy of the store."""
    shutil.copytree(remembered, tmp_path / "store")
    return tmp_path / "store"


def test_an_exchange_that_was_cut_in_two_is_finished(remembered: Path, tmp_path: Path) -> None:
    store = copied(remembered, tmp_path)
    own = store / FOLDER
    shutil.copytree(own, own.with_name(PREVIOUS))
    own.rename(own.with_name(ASIDE))
    mend(own)
    assert (own / CARD).exists() and not own.with_name(PREVIOUS).exists()
    shutil.copytree(own, own.with_name(PREVIOUS))
    exchange(own)
    assert (own / CARD).exists() and own.with_name(ASIDE).exists()
    (own / "training.pt").write_bytes(b"x")
    keep_previous(own)
    assert not own.exists() and not (own.with_name(PREVIOUS) / "training.pt").exists()
