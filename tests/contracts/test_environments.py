"""Every environment keeps the protocol; the suite that ships with Lichen says so."""

import os
from pathlib import Path

import pytest

from lichen.envs import GymView, MissingData, make
from lichen.envs.checker import check

SHARED = Path(__file__).parents[3] / "shared" / "alfworld"


@pytest.fixture(
    params=[
        "twx",
        "scienceworld",
        "alfworld",
        "alfworld-mini",
        "bfcl",
        "crafter",
        "poker",
        "textcraft",
        "support",
    ]
)
def name(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "alfworld" and "ALFWORLD_DATA" not in os.environ:
        if not SHARED.is_dir():
            pytest.skip("ALFWorld's official games are not on this machine (ALFWORLD_DATA)")
        monkeypatch.setenv("ALFWORLD_DATA", str(SHARED))
    return str(request.param)


def test_the_protocol_is_kept(name: str) -> None:
    environment = make(name)
    families = environment.families()
    count = {"twx": 8, "scienceworld": 2, "crafter": 3}.get(name, 6)
    tasks = [environment.tasks("dev", [family])[0] for family in families[:count]]
    assert check(environment, tasks) == []


def test_the_gymnasium_view_says_the_same(name: str) -> None:
    view = GymView(make(name))
    family = view.environment.families()[-1]
    task = view.environment.tasks("test", [family])[0]
    text, info = view.reset(seed=1, options={"task_id": task.id})
    seen = view.environment.reset(task.id)
    assert text == seen.text
    assert (info["task"], info["task_id"], info["split"]) == (seen.goal, task.id, "test")
    shown = None if seen.admissible is None else list(seen.admissible)
    assert info["admissible"] == shown
    _, reward, terminated, truncated, info = view.step((shown or ["any text"])[0])
    assert info["steps"] == 1
    assert not (terminated and truncated)
    assert isinstance(reward, float)


def test_missing_games_say_how_to_get_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ALFWORLD_DATA", raising=False)
    with pytest.raises(MissingData, match="ALFWORLD_DATA is not set") as caught:
        make("alfworld")
    assert "alfworld-download" in caught.value.hint
    monkeypatch.setenv("ALFWORLD_DATA", str(tmp_path))
    with pytest.raises(MissingData, match="holds no ALFWorld games"):
        make("alfworld")
