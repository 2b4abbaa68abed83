"""A stream of two families, small."""

from pathlib import Path

import pytest

from lichen.agent.lab.continual.stream import Stream, StreamConfig, build_stream
from lichen.envs.registry import make
from lichen.envs.suite import Suite


@pytest.fixture(scope="session")
def pair() -> Suite:
    """Two games of TextWorldExpress."""
    return Suite(name="pair", env="twx", families=("simonsays", "sorting"), learn_tasks=4)


@pytest.fixture(scope="session")
def pair_file(pair: Suite, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same suite as a file."""
    path = tmp_path_factory.mktemp("suite") / "pair.toml"
    path.write_text('name = "pair"\nenv = "twx"\nfamilies = ["simonsays", "sorting"]\n')
    return path


@pytest.fixture(scope="session")
def stream(pair: Suite) -> Stream:
    """Its stream: at most 6 decisions to learn from and 3 held out in each family."""
    return build_stream(pair, make("twx"), StreamConfig(examples=6, tasks=3))
