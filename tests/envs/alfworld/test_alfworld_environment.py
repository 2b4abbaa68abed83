"""ALFWorld's official games win where they are here."""

import os
from pathlib import Path

import pytest

from lichen.envs import (
    make,
)
from lichen.envs.verify import verify

SHARED = Path(__file__).parents[3] / "shared" / "alfworld"


def test_official_games_win_when_they_are_here(monkeypatch: pytest.MonkeyPatch) -> None:
    if "ALFWORLD_DATA" not in os.environ:
        if not SHARED.is_dir():
            pytest.skip("ALFWorld's official games are not on this machine (ALFWORLD_DATA)")
        monkeypatch.setenv("ALFWORLD_DATA", str(SHARED))
    environment = make("alfworld")
    counts = {split: len(environment.tasks(split)) for split in ("train", "dev", "test")}
    assert counts == {"train": 3553, "dev": 140, "test": 134}
    assert verify(environment, environment.tasks("test")[::7]).holds
