"""An index in memory answers as one in Chroma does."""

from pathlib import Path

import numpy as np
import pytest

from lichen.memory.likeness import index_shelf
from lichen.memory.likeness.index_shelf import IndexedItem
from lichen.memory.likeness.vector_index import VectorIndex


@pytest.mark.parametrize("scanned", [0, 20_000])
def test_it_answers_as_chroma_does_whatever_comes_and_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scanned: int
) -> None:
    monkeypatch.setattr(index_shelf, "_SCANNED", scanned)  # 0: by queries, not by views
    rng = np.random.default_rng(0)
    ours, chroma = VectorIndex(None, "x"), VectorIndex(tmp_path / "index", "x")

    def drawn(n: int) -> np.ndarray:
        made = rng.normal(size=(n, 8)).astype(np.float32)
        return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), np.float32)

    items: list[IndexedItem] = []
    for part in range(6):
        new = [
            IndexedItem(f"{part}-{i}", "env" if i % 3 else "other", part, "acme" * (i % 2))
            for i in range(40)
        ]
        again = [items[int(i)] for i in rng.integers(len(items), size=5)] if items else []
        put, vectors = [*new, *dict.fromkeys(again)], drawn(len(new) + len(dict.fromkeys(again)))
        gone = [item.id for item in items if rng.random() < 0.2 and item not in again]
        items = [item for item in items if item.id not in gone] + new
        for index in (ours, chroma):
            index.put(put, vectors)
            index.remove(gone)
        assert len(ours) == len(chroma) == len(items)
        for spaces in (("",), ("acme",), ("", "acme")):
            for below in (1, part + 1, 100):
                asked = drawn(1)[0]
                found = [
                    index.near(asked, n=7, env="env", below=below, spaces=spaces)
                    for index in (ours, chroma)
                ]
                assert [x.id for x in found[0]] == [x.id for x in found[1]]
                cosines = [[x.cosine for x in one] for one in found]
                assert np.allclose(cosines[0], cosines[1], atol=1e-4)
    assert ours.items() == chroma.items() == set(items)
    assert ours.repair(sorted(items), lambda ids: drawn(len(ids))) == (0, 0)
    ours.close()
    chroma.close()
