"""What was made from an episode goes with it."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lichen.memory.ledger.errors import StoreUnwritable
from lichen.memory.store.made_from import MANIFEST, derived_from, made_from, remove_derived


def test_what_was_made_from_an_episode_goes_and_no_ledger_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (".", "made", "made/within", "copy"):
        made_from(tmp_path / name, ["e1"])
    (tmp_path / "copy" / "run").mkdir()
    (tmp_path / "copy" / "run" / "ledger.sqlite").touch()
    found = [tmp_path / "made", tmp_path / "made" / "within"]
    assert derived_from(tmp_path, "e1") == found
    with monkeypatch.context() as patch:
        patch.setattr("shutil.rmtree", lambda path, **more: (path / MANIFEST).unlink())
        with pytest.raises(StoreUnwritable, match="cannot be removed"):
            remove_derived(tmp_path, "e1")
    assert derived_from(tmp_path, "e1") == found  # what is left is found again
    assert remove_derived(tmp_path, "e1") == found and not (tmp_path / "made").exists()
    assert (tmp_path / "copy" / "run" / "ledger.sqlite").exists()


def test_threads_that_write_one_manifest_lose_no_episode(tmp_path: Path) -> None:
    episodes = [f"e{n}" for n in range(200)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda episode: made_from(tmp_path / "made", [episode]), episodes))
    assert json.loads((tmp_path / "made" / MANIFEST).read_text()) == sorted(episodes)
