"""The indexes of a store repair themselves."""

import os
from pathlib import Path

import numpy as np
import pytest

from lichen.memory.forgetting.explain import (
    verify_store,
)
from lichen.memory.ledger.records import StepCase
from lichen.memory.likeness.embedder import HashingEmbedder
from lichen.memory.store.store import Store


def opened(folder: Path, *, read_only: bool = False) -> Store:
    return Store(folder, embedder=HashingEmbedder(), clock=lambda: 0.0, read_only=read_only)


def test_a_stale_index_entry_is_removed(folder: Path) -> None:
    with opened(folder) as store:
        some = next(iter(store.steps.values()))
        from lichen.memory.likeness.index_shelf import IndexedItem

        store.index(StepCase).put(
            [IndexedItem("ghost", some.env, 0)], np.ones((1, 384), np.float32)
        )
    assert any("ghost" in p for p in verify_store(folder).problems)
    with opened(folder) as store:
        assert "ghost" not in {item.id for item in store.index(StepCase).items()}


def test_an_index_that_cannot_be_opened_is_set_aside_and_made_again(
    four: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (four / "index" / "chroma.sqlite3").write_bytes(os.urandom(9000))
    with opened(four) as store:
        assert len(store.index(StepCase)) == len(store.steps)
        assert any("made again" in what for what in store.repaired)
    assert (four / "index.broken-1").is_dir()
    assert "made again" in caplog.text
    assert verify_store(four).problems == ()
