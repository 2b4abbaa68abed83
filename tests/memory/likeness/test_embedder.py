"""The packaged embedder and its cache."""

import subprocess
import sys
from pathlib import Path

import numpy as np

from lichen.memory import Store
from lichen.memory.likeness.embedder import PackagedEmbedder, SentenceEmbedder


def test_the_packaged_embedder_knows_meaning_and_is_asked_once_per_text(tmp_path: Path) -> None:
    with Store(tmp_path, embedder=PackagedEmbedder()) as store:
        a, b, c = store.embedder.encode(
            ["heat the apple", "warm up some fruit", "read the newspaper"]
        )
        assert a @ b > a @ c
        assert a.shape == (384,)
        store.embedder._inner = None  # type: ignore[assignment]  # what is cached needs no model
        assert np.array_equal(store.embedder.encode(["heat the apple"])[0], a)


def test_the_packaged_vectors_are_those_of_sentence_transformers() -> None:
    ours = PackagedEmbedder()
    theirs = SentenceEmbedder(str(ours.folder))
    texts = ["", "Find the coin.", "Ich möchte 12,5 % zurück — bitte! 你好", "word " * 700]
    assert np.allclose(ours.encode(texts), theirs.encode(texts), atol=1e-5)


def test_a_vector_does_not_depend_on_what_is_encoded_beside_it() -> None:
    ours = PackagedEmbedder()
    together = ours.encode(["a coin", "a much longer text about a kitchen and what is in it"])
    assert np.array_equal(together[:1], ours.encode(["a coin"]))
    assert ours.encode([]).shape == (0, 384)


def test_the_packaged_model_needs_no_torch() -> None:
    said = "import sys; from lichen.memory.likeness.embedder import PackagedEmbedder as P; "
    said += "P().encode(['a coin']); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
