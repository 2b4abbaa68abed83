"""Frozen models for the tests of SoftCoT: the packaged one, and a tiny one of random weights for speed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lichen.agent.softcot.models import Frozen, open_frozen


@pytest.fixture(scope="session")
def frozen() -> Iterator[Frozen]:
    """SmolLM2, loaded to be read."""
    yield open_frozen("smollm2-135m")


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory, frozen: Frozen) -> Path:
    """A folder with a two-layer Llama of random weights and SmolLM2's tokenizer."""
    import torch
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
