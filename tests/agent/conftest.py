"""Fixtures of the agent's tests: frozen models (the packaged one, and a tiny one of random weights for speed),
a trained projection, a model whose server can be down, a library of skills."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch

from lichen.agent.llm import ScriptedLLM
from lichen.agent.llm.errors import LLMUnavailable
from lichen.agent.llm.frozen import Frozen, ModelIdentity, open_frozen
from lichen.agent.skill_actions.open_library import OpenLibrary
from lichen.agent.softcot import Example, TrainConfig
from lichen.agent.softcot.soft_assistant import SoftAssistant
from lichen.agent.softcot.train import Trainer
from lichen.skills.induction.induce import InduceConfig, induce
from lichen.skills.induction.watch import traced


class Down(ScriptedLLM):
    """A model whose server is down until `down` is set to False."""

    down = True

    async def choose(self, prompt: str, options: Sequence[str]) -> np.ndarray:
        """Fail while it is down."""
        if self.down:
            raise LLMUnavailable("the server is down")
        return await super().choose(prompt, options)


@pytest.fixture
def down_llm() -> Down:
    """A scripted model that is down."""
    return Down()


@pytest.fixture(scope="session")
def household_skills(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a library of the small household, induced; copy it to change it."""
    root = tmp_path_factory.mktemp("household") / "skills"
    with OpenLibrary(root, author="agent", warm=1) as shop:
        environment, traces = shop.environment("alfworld-mini"), []
        for task in environment.tasks("train"):
            environment.reset(task.id)
            trace = traced(environment, task.id, environment.gold() or ())
            assert trace is not None
            traces.append(trace)
        assert len(induce(traces, shop.admission(), InduceConfig(least=3, most=4))) >= 3
    return root


@pytest.fixture(scope="session")
def frozen() -> Iterator[Frozen]:
    """SmolLM2, loaded to be read."""
    yield open_frozen("smollm2-135m")


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory, frozen: Frozen) -> Path:
    """A folder with a two-layer Llama of random weights and SmolLM2's tokenizer."""
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("tiny")
    config = LlamaConfig(
        vocab_size=49152,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        tie_word_embeddings=True,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        LlamaForCausalLM(config).save_pretrained(folder)
    frozen.tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny(tiny_folder: Path) -> Frozen:
    """The tiny model."""
    return open_frozen(str(tiny_folder))


class Taught(NamedTuple):
    """A projection trained on answers that only the assistant can tell apart, and the model before it."""

    examples: list[Example]
    trainer: Trainer
    before: ModelIdentity


@pytest.fixture(scope="session")
def secrets() -> list[Example]:
    """Eight questions of one wording whose answers only the assistant can tell apart."""
    words = ("river", "copper", "violin", "seven", "orange", "winter", "tiger", "bread")
    return [
        Example(
            question="What is the secret word?\nAnswer:",
            seen=f"The secret word is {words[number - 1]}.",  # a code: in words it misleads
            target=f" {word}\n",
            form="cue",
            family="secret",
            answer=word,
            episode=f"e{number}",
        )
        for number, word in enumerate(words)
    ]


@pytest.fixture(scope="session")
def untaught(frozen: Frozen, secrets: list[Example]) -> Trainer:
    """A training of the eight that has not begun."""
    return _training(frozen, secrets)


@pytest.fixture(scope="session")
def taught(frozen: Frozen, secrets: list[Example]) -> Taught:
    """SmolLM2 with a projection that carries the eight answers; trained once for all tests."""
    before = frozen.identity(again=True)
    trainer = _training(frozen, secrets)
    trainer.run()
    return Taught(secrets, trainer, before)


def _training(frozen: Frozen, secrets: list[Example]) -> Trainer:
    config = TrainConfig(n=(4,), epochs=45, batch=8, lr=3e-3)
    return Trainer(SoftAssistant(frozen), frozen, secrets, config=config)
