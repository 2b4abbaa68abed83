"""The vector index answers as exact search does, in whatever order it was filled."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lichen.memory.likeness import index_shelf as index_file
from lichen.memory.likeness.index_shelf import IndexedItem, Vectors
from lichen.memory.likeness.vector_index import VectorIndex

D = 16


def drawn(n: int, seed: int = 0) -> tuple[list[IndexedItem], Vectors]:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, D)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    spaces = ("", "", "", "team", "team/ann", "team/bob")
    return [
        IndexedItem(f"{seed}-{i:04}", ("a", "b ☂")[i % 2], i // 4, spaces[i % 7 % 6])
        for i in range(n)
    ], vectors


def exact(
    items: Sequence[IndexedItem],
    vectors: Vectors,
    query: Vectors,
    *,
    n: int,
    env: str,
    below: int,
    spaces: Sequence[str],
) -> list[str]:
    cosines = vectors @ query
    seen = [
        i
        for i, item in enumerate(items)
        if item.env == env and item.rank < below and item.space in spaces
    ]
    return [items[i].id for i in sorted(seen, key=lambda i: -cosines[i])[:n]]


def test_two_indexes_of_the_same_cases_answer_alike_and_exactly(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    size = 6000
    vectors = rng.normal(size=(size, 32)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    items = [IndexedItem(f"{i:05d}", "x", i // 10) for i in range(size)]
    answers = []
    for name in ("one", "two"):
        index = VectorIndex(tmp_path / name, "steps")
        for start in range(0, size, 500):
            index.put(items[start : start + 500], vectors[start : start + 500])
        answers.append(
            [
                [x.id for x in index.near(query, n=96, env="x", below=below)]
                for query in vectors[:40]
                for below in (size, size // 20)
            ]
        )
        index.close()
    assert answers[0] == answers[1]
    exact = np.argsort(-(vectors @ vectors[0]), kind="stable")[:96]
    assert set(answers[0][0]) == {items[int(i)].id for i in exact}


@pytest.mark.parametrize(("wide", "scanned"), [(1600, 20_000), (0, 20_000), (0, 0), (40, 0)])
def test_reads_of_every_view_equal_exact_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wide: int, scanned: int
) -> None:
    monkeypatch.setattr(index_file, "_WIDE", wide)
    monkeypatch.setattr(index_file, "_SCANNED", scanned)
    monkeypatch.setattr(index_file, "_PAGE", 70)
    monkeypatch.setattr(index_file, "_VIEWS", 5)
    monkeypatch.setattr(index_file, "_BATCH", 50)
    items, vectors = drawn(200)
    queries = drawn(5, seed=1)[1]
    index = VectorIndex(tmp_path / "index", "vectors")
    assert index.near(queries[0], n=3, env="a", below=9) == []

    def compare() -> None:
        assert len(index) == len(items)
        assert index.items() == set(items)
        for query in queries:
            for env in ("a", "b ☂", "c"):
                for below in (0, 7, 30, 45, 50, 1000):
                    for spaces in (("",), ("team/ann", "team", ""), ("team/eve", "team", "")):
                        asked = {"n": 5, "env": env, "below": below, "spaces": spaces}
                        found = [x.id for x in index.near(query, **asked)]  # type: ignore[arg-type]
                        assert found == exact(items, vectors, query, **asked)  # type: ignore[arg-type]

    index.put(items[:150], vectors[:150])
    index.put(items[150:], vectors[150:])
    compare()
    index.remove([items[3].id, items[4].id, "unknown"])
    items, vectors = items[:3] + items[5:], np.delete(vectors, [3, 4], axis=0)
    compare()  # also for views whose vectors were kept
    items[0] = items[0]._replace(rank=40)
    index.put(items[:1], vectors[:1])
    compare()
    index.close()
    index = VectorIndex(tmp_path / "index", "vectors")
    compare()
    index.close()


def test_repair_moves_what_is_in_the_wrong_environment_or_of_an_earlier_layout(
    tmp_path: Path,
) -> None:
    items, vectors = drawn(40)
    by_id = {item.id: vector for item, vector in zip(items, vectors, strict=True)}
    index = VectorIndex(tmp_path / "index", "vectors")
    index._client.create_collection("vectors", embedding_function=None).add(
        ids=["old"], embeddings=vectors[:1]
    )
    wrong = [items[0]._replace(env="b ☂"), items[1]._replace(rank=77), IndexedItem("ghost", "c", 0)]
    index.put(wrong, vectors[:3])
    index.put(items[:1], vectors[:1])  # now it is in both
    assert index.repair(items, lambda ids: np.stack([by_id[i] for i in ids])) == (39, 3)
    assert index.items() == set(items)
    assert {rows.name.partition(".")[0] for rows in index._client.list_collections()} == {"vectors"}
    assert all("." in rows.name for rows in index._client.list_collections())
    kept = index.vectors([item.id for item in items])
    assert all(np.allclose(kept[i], vector, atol=1e-6) for i, vector in by_id.items())
    index.close()


def test_what_is_put_moved_or_removed_between_reads_is_in_the_next_answer(tmp_path: Path) -> None:
    items, vectors = drawn(60)
    rng = np.random.default_rng(1)
    now: dict[str, tuple[IndexedItem, Vectors]] = {}
    index = VectorIndex(tmp_path, "steps")
    for turn in range(40):
        put = [int(n) for n in rng.integers(0, len(items), size=2)]
        chosen = {n: items[n]._replace(space=("", "team")[turn % 3 == 0]) for n in put}
        made = np.roll(vectors, turn % 5, axis=1)[list(chosen)]
        index.put(list(chosen.values()), made)
        now |= {item.id: (item, row) for item, row in zip(chosen.values(), made, strict=True)}
        if turn % 7 == 6:
            gone = next(iter(now))
            index.remove([gone])
            del now[gone]
        held = list(now.values())
        for space in ("", "team"):
            asked: dict[str, Any] = {"n": 5, "env": "a", "below": 99, "spaces": (space,)}
            found = [near.id for near in index.near(vectors[turn], **asked)]
            rows = np.stack([row for _, row in held])
            assert found == exact([item for item, _ in held], rows, vectors[turn], **asked)
