"""Fixtures of SoftCoT's tests: a store with a projection of the tiny model, made once for all of them."""

import shutil
from pathlib import Path

import pytest

from lichen.agent.llm.frozen import Frozen
from lichen.agent.open_agent import OpenAgent
from lichen.agent.softcot import TrainConfig
from lichen.agent.softcot.soft_assistant import SoftAssistant
from lichen.agent.softcot.soft_config import FOLDER
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
    tiny = Frozen("tiny", *parts_of(tiny_folder))
    source = open_source("own", config, examples=99, held_out=12, demonstrations=True)
    trainer = Trainer(
        SoftAssistant(tiny, folder / "softcot" / "states"),
        tiny,
        source.learned[:8],
        config=TrainConfig(n=(4,), epochs=1),
    )
    trainer.run(folder / FOLDER)
    return folder


def parts_of(folder: Path) -> tuple[object, object]:
    """Return model and tokenizer of a folder."""
    from lichen.agent.llm.loading import LocalConfig
    from lichen.agent.llm.loading import load as loaded

    return loaded(str(folder), LocalConfig())


def opened(folder: Path, model: Path) -> OpenAgent:
    """Return an agent with the tiny model."""
    return OpenAgent.from_config(store=folder, model=str(model), embedder="hashing")


def copied(remembered: Path, tmp_path: Path) -> Path:
    """Return a copy of the store."""
    shutil.copytree(remembered, tmp_path / "store")
    return tmp_path / "store"
