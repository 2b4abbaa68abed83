"""Shared fixtures: the real small model, and a word when the package is not installed."""

import asyncio
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from lichen.agent.llm.local import LocalLLM

if find_spec("lichen") is None:
    pytest.exit("lichen is not installed here: run  make setup", returncode=2)

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def smollm2() -> Iterator["LocalLLM"]:
    """The packaged SmolLM2-135M-Instruct, loaded once for all tests."""
    from lichen.agent.llm.local import LocalLLM

    llm = LocalLLM()
    yield llm
    asyncio.run(llm.close())


@pytest.fixture(scope="session")
def converted_folder(smollm2: "LocalLLM") -> Path:
    """The folder of the converted model, as `transformers serve` takes it."""
    from lichen.agent.llm.catalog import locate

    return Path(locate("smollm2-135m"))
