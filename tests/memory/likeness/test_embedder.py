"""The packaged embedder and its cache."""

from pathlib import Path

import numpy as np

from lichen.memory import Store
from lichen.memory.likeness.embedder import SentenceEmbedder


def test_the_packaged_embedder_knows_meaning_and_is_asked_once_per_text(tmp_path: Path) -> None:
    with Store(tmp_path, embedder=SentenceEmbedder()) as store:
        a, b, c = store.embedder.encode(
            ["heat the apple", "warm up some fruit", "read the newspaper"]
        )
        assert a @ b > a @ c
        assert a.shape == (384,)
        store.embedder._inner = None  # type: ignore[assignment]  # what is cached needs no model
        assert np.array_equal(store.embedder.encode(["heat the apple"])[0], a)
