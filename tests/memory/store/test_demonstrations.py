"""Demonstrations: imported, marked, exported and read again."""

from pathlib import Path

import pytest

from lichen.envs import make
from lichen.memory.forgetting.explain import (
    export_demonstrations,
)
from lichen.memory.ledger.errors import BadDemonstration
from lichen.memory.ledger.ledger import open_ledger
from lichen.memory.likeness.embedder import HashingEmbedder
from lichen.memory.store.demonstrations import (
    Demonstration,
    from_gold,
    import_demonstrations,
    read_jsonl,
)
from lichen.memory.store.store import Store


def opened(folder: Path, *, read_only: bool = False) -> Store:
    return Store(folder, embedder=HashingEmbedder(), clock=lambda: 0.0, read_only=read_only)


def gold_of(n: int = 4) -> list[Demonstration]:
    environment = make("alfworld-mini")
    return list(from_gold(environment, [task.id for task in environment.tasks("train")][:n]))


def test_demonstrations_are_marked_exported_and_read_again(folder: Path, tmp_path: Path) -> None:
    with opened(folder) as store:
        assert {case.source for case in store.episodes.values()} == {"demonstration"}
        first = store.state_hash()
    file = tmp_path / "shown.jsonl"
    assert export_demonstrations(open_ledger(folder), file) == (10, [])
    with opened(tmp_path / "other") as other:
        assert len(import_demonstrations(other, read_jsonl(file), run="import")) == 10
        assert import_demonstrations(other, read_jsonl(file), run="import") == []
        assert other.state_hash() == first
    file.write_text(file.read_text() + '{"env": "x"}\n')
    with pytest.raises(BadDemonstration, match=r"line 11 .* family"):
        read_jsonl(file)


def test_a_line_separator_inside_a_text_does_not_end_a_line(tmp_path: Path) -> None:
    said = gold_of(1)[0].model_copy(update={"goal": "take the\u2028coin"})
    (tmp_path / "one.jsonl").write_text(said.model_dump_json() + "\n", encoding="utf-8")
    assert read_jsonl(tmp_path / "one.jsonl") == [said]
