"""Subtasks are kept, found and forgotten."""

from pathlib import Path

from lichen.memory import Store
from lichen.memory.forgetting.explain import verify_store
from lichen.memory.forgetting.forget import forget
from lichen.memory.likeness.embedder import HashingEmbedder
from lichen.memory.recall.case_memory import CaseMemory
from lichen.memory.recall.retriever import RetrieverConfig
from lichen.memory.store.replay import replay


def opened(folder: Path, *, read_only: bool = False) -> Store:
    return Store(folder, embedder=HashingEmbedder(), clock=lambda: 0.0, read_only=read_only)


def test_a_users_messages_are_subtasks_that_are_kept_found_and_forgotten(
    conversations: Path,
) -> None:
    with opened(conversations) as store:
        assert len(store.subtasks) > 60
        some = next(case for case in store.subtasks.values() if case.index == 1)
        assert some.outcome == "success" and some.calls and some.of >= 2
        assert some.actions[-1] == "end_turn()"
        whole = store.whole(some.episode)
        assert whole is not None
        memory = CaseMemory(store)
        near = memory.subtasks(some.text, env="bfcl", k=3)
        assert near[0][0].text == some.text and near[0][1] > 0.99
        own = memory.subtasks(some.text, env="bfcl", k=50, task_id=whole.task_id)
        assert all(case.task_id != whole.task_id for case, _ in own)
        assert not CaseMemory(store, RetrieverConfig(tools=False)).subtasks(
            some.text, env="bfcl", k=3
        )
        known = len(store.subtasks)
        forget(store, some.id, cascade=True)
        assert len(store.subtasks) < known
        assert all(
            c.episode != some.episode for c, _ in memory.subtasks(some.text, env="bfcl", k=50)
        )
    assert not verify_store(conversations).problems
    assert not replay(conversations, compare=True).problems
