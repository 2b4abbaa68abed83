"""Cases by id, and what verification finds."""

import sqlite3
from pathlib import Path

import numpy as np

from lichen.memory.forgetting.explain import (
    find_case,
    verify_store,
)
from lichen.memory.ledger.records import StepCase
from lichen.memory.likeness.embedder import HashingEmbedder
from lichen.memory.likeness.features import hashed
from lichen.memory.store.store import Store


def opened(folder: Path, *, read_only: bool = False) -> Store:
    return Store(folder, embedder=HashingEmbedder(), clock=lambda: 0.0, read_only=read_only)


def test_a_case_is_found_by_the_beginning_of_its_id(folder: Path) -> None:
    with opened(folder, read_only=True) as store:
        case = next(iter(store.episodes.values()))
        assert find_case(store, case.id[:10]) == case


def test_wrong_metadata_and_wrong_vectors_in_the_index_are_found(four: Path) -> None:
    with opened(four) as store:
        index = store.index(StepCase)
        ids = sorted(store.steps)[:2]
        items = {item.id: item for item in index.items()}
        index.put([items[ids[0]]._replace(rank=99)], hashed([store.steps[ids[0]].state]))
        index.put([items[ids[1]]], np.ones((1, 384), np.float32))
    problems = " ".join(verify_store(four).problems)
    assert f"misplaces case {ids[0]}" in problems
    assert f"another vector of case {ids[1]}" in problems
    with opened(four) as store:  # what it knows of a case is compared at every opening
        known = {item.id: item for item in store.index(StepCase).items()}
        assert known[ids[0]].rank == store.steps[ids[0]].rank


def test_content_that_vanished_without_being_forgotten_is_damage(taught: Path) -> None:
    with sqlite3.connect(taught / "ledger.sqlite") as raw:
        raw.execute("UPDATE events SET payload = '' WHERE seq = 5")
    assert any("row 5 lost its content" in p for p in verify_store(taught).problems)
