"""Bullets of the playbook: events, corrections, what a frozen view reads, forgetting."""

from pathlib import Path

import pytest

from lichen.envs import UsageError
from lichen.envs.registry import make
from lichen.envs.suite import load_suite
from lichen.memory.forgetting.forget import forget
from lichen.memory.ledger.errors import UnknownCase
from lichen.memory.likeness.embedder import HashingEmbedder
from lichen.memory.recall.case_memory import CaseMemory
from lichen.memory.store.demonstrations import from_gold, import_demonstrations
from lichen.memory.store.playbook import add_bullet, bullets_of, edit_bullet, promote, take_out
from lichen.memory.store.store import Store

ENV = "alfworld-mini"


@pytest.fixture
def episodes(tmp_path: Path) -> list[str]:
    """Fill a store with two demonstrations and return their episodes."""
    environment = make(ENV)
    ids = load_suite(ENV).task_ids("train", 2, 0, environment)
    with Store(tmp_path, embedder=HashingEmbedder()) as store:
        cases = import_demonstrations(store, from_gold(environment, ids), run="gold")
        store.settle()
    return [case.episode for case in cases]


def test_bullets_are_folded_corrected_and_survive_a_reopening(
    tmp_path: Path, episodes: list[str]
) -> None:
    with Store(tmp_path, embedder=HashingEmbedder()) as store:
        rules = [("Open it first.", episodes[:1]), ("Look twice.", episodes)]
        promote(store, ENV, rules, gain=(0.3, 0.1, 0.5), tasks=8, reason="run x")
        first, second = bullets_of(store, ENV)
        edited = edit_bullet(store, first.id[:8], "  Open   it before all else. ")
        assert (edited.text, edited.evidence) == ("Open it before all else.", (episodes[0],))
        assert (edited.gain, edited.by) == ((0.3, 0.1, 0.5), "person")
        own = add_bullet(store, ENV, "Never drop it.")
        take_out(store, second.id)
        said = store.state_hash()
    with Store(tmp_path, embedder=HashingEmbedder(), read_only=True) as store:
        assert store.state_hash() == said
        assert [b.text for b in bullets_of(store, ENV)] == [edited.text, own.text]
        assert bullets_of(store, "bfcl") == ()


def test_a_new_promotion_leaves_what_people_wrote(tmp_path: Path, episodes: list[str]) -> None:
    with Store(tmp_path, embedder=HashingEmbedder()) as store:
        one = dict(gain=(0.3, 0.1, 0.5), tasks=8, reason="run x")
        promote(store, ENV, [("One.", episodes), ("Two.", episodes)], **one)  # type: ignore[arg-type]
        edit_bullet(store, bullets_of(store, ENV)[0].id, "One, corrected.")
        add_bullet(store, ENV, "Mine.")
        promote(store, ENV, [("Three.", episodes)], **one)  # type: ignore[arg-type]
        texts = [bullet.text for bullet in bullets_of(store, ENV)]
    assert texts == ["One, corrected.", "Mine.", "Three."]


def test_a_bullet_is_forgotten_with_any_episode_it_was_learned_from(
    tmp_path: Path, episodes: list[str]
) -> None:
    with Store(tmp_path, embedder=HashingEmbedder()) as store:
        rules = [("Of the first.", episodes[:1]), ("Of both, secretly.", episodes)]
        promote(store, ENV, rules, gain=(0.3, 0.1, 0.5), tasks=8, reason="run x")
        both = bullets_of(store, ENV)[1]
        edit_bullet(store, both.id, "Of both, openly.")
        would = forget(store, episodes[1], cascade=True, dry_run=True)
        assert would.dependants == (f"playbook-{both.id}",)
        with pytest.raises(UsageError, match="bullets of the playbook come from it"):
            forget(store, episodes[1])
        forget(store, episodes[1], cascade=True)
        assert [bullet.text for bullet in bullets_of(store, ENV)] == ["Of the first."]
        rows = "".join(str(row.event) for row in store.ledger.read())
        assert "secretly" not in rows and "openly" not in rows
        assert store.state_hash()
    with Store(tmp_path, embedder=HashingEmbedder()) as store:
        assert [bullet.text for bullet in bullets_of(store, ENV)] == ["Of the first."]


def test_a_frozen_view_reads_no_bullet_that_was_written_later(
    tmp_path: Path, episodes: list[str]
) -> None:
    with Store(tmp_path, embedder=HashingEmbedder()) as store:
        rules = [("Of the first.", episodes[:1]), ("Of a try that left no case.", ["tried-1"])]
        promote(store, ENV, rules, gain=(0.3, 0.1, 0.5), tasks=8, reason="run x")
        edit_bullet(store, bullets_of(store, ENV)[0].id, "Of the first, corrected.")
        before, then, now = (
            CaseMemory(store, first=1),
            CaseMemory(store, first=2),
            CaseMemory(store),
        )
        assert before.playbook(ENV) == ()  # it was written when two were learned
        for view in (then, now):
            said = [bullet.text for bullet in view.playbook(ENV)]
            assert said == ["Of the first, corrected.", "Of a try that left no case."]


def test_what_cannot_be_a_bullet_is_refused_with_a_sentence(
    tmp_path: Path, episodes: list[str]
) -> None:
    with Store(tmp_path, embedder=HashingEmbedder()) as store:
        own = add_bullet(store, ENV, "Look first.")
        for text, said in (
            ("  ", "cannot be empty"),
            ("x" * 601, "at most 600"),
            ("Look first.", "already"),
        ):
            with pytest.raises(UsageError, match=said):
                add_bullet(store, ENV, text)
        with pytest.raises(UsageError, match="nothing was changed"):
            edit_bullet(store, own.id, "Look first.")
        with pytest.raises(UnknownCase, match="no bullet"):
            take_out(store, "nothing")
