"""Whether a model reads vectors as it reads words."""

import subprocess
import sys
from pathlib import Path

import pytest

from lichen.agent.llm.frozen import Frozen
from lichen.agent.llm.soft_reader import SoftReader
from lichen.agent.softcot.probe import probe


def lichen(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a folder."""
    command = [sys.executable, "-m", "lichen.agent", "softcot", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=200)


def test_the_real_model_reads_embeddings_as_words(frozen: Frozen) -> None:
    found = probe(frozen)
    assert found.usable and found.compared == 3 and found.d == 576


def test_a_model_whose_embeddings_are_scaled_elsewhere_is_marked_unusable(
    tiny: Frozen, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = SoftReader.embed
    monkeypatch.setattr(SoftReader, "embed", lambda self, ids, soft: -3 * honest(self, ids, soft))
    found = probe(tiny)
    assert not found.usable and "their embeddings" in found.reason
