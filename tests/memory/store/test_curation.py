"""A person corrects, pins and quarantines what is remembered: by events that fold the same everywhere."""

from pathlib import Path
from typing import Any

import pytest

from lichen.envs.errors import UsageError
from lichen.memory import CaseMemory, EpisodeCase, ForeignStep, Memory, StepCase, Store, SubtaskCase
from lichen.memory.forgetting.explain import export_events, verify_store
from lichen.memory.forgetting.forget import forget
from lichen.memory.kinds.edited import editable
from lichen.memory.ledger.curation_events import CaseEdited
from lichen.memory.ledger.errors import EditConflict, UnknownCase
from lichen.memory.ledger.row_checks import read_rows
from lichen.memory.likeness.embedder import open_embedder
from lichen.memory.store.curation import edit, held_named, pin, quarantine
from lichen.memory.store.replay import replay
from lichen.memory.store.watched_store import WatchedStore

STEPS: list[ForeignStep | dict[str, Any]] = [
    {"tool": "find", "arguments": {"order": 4711}, "answer": "in Oslo"},
    {"action": "It is in Oslo."},
]


def opened(folder: Path, **options: object) -> Store:
    return Store(folder, embedder=open_embedder("minilm"), **options)  # type: ignore[arg-type]


def told(folder: Path, *requests: str) -> list[str]:
    with Memory(folder, embedder=open_embedder("minilm")) as memory:
        return [memory.remember(said, STEPS, outcome="success") for said in requests]


def step_of(store: Store, episode: str, index: int = 0) -> StepCase:
    found = store.held.of_episode(StepCase, episode)
    return next(case for case in found if case.index == index)


def test_a_corrected_goal_is_found_by_its_new_words_at_once_and_replays(tmp_path: Path) -> None:
    one, _ = told(tmp_path, "Where is my parcel?", "Cancel the newspaper")
    with opened(tmp_path) as store:
        case = held_named(store, one)
        assert isinstance(case, EpisodeCase)
        near = CaseMemory(store).episodes("water the plants", env="memory", k=2)
        before = dict((c.id, cosine) for c, cosine in near).get(case.id, 0.0)
        looking = WatchedStore(tmp_path, embedder=open_embedder("minilm"))
        now = edit(store, case.id[:9], {"goal": "Water the plants in the hall"}, actor="ann")
        assert (now.id, now.edited) == (case.id, "ann")
        for view in (store, looking):
            if view is looking:
                looking.refresh()
            best, cosine = CaseMemory(view).episodes("water the plants", env="memory", k=1)[0]
            assert best.id == case.id and best.goal.startswith("Water") and cosine > before + 0.2
        looking.close()
        state = store.state_hash()
        row = list(store.ledger.read(types=("case_edited",)))[-1]
        assert isinstance(row.event, CaseEdited) and row.actor == "ann" and row.origin == "person"
        assert row.event.changes[0].seen == "Where is my parcel?"
        started = store.started(one)
        assert started is not None and started.goal == "Where is my parcel?"  # the original stays
    assert replay(tmp_path, compare=True).state_hash == state
    assert verify_store(tmp_path).problems == ()
    with opened(tmp_path, read_only=True, until=row.seq - 1) as store:
        assert held_named(store, one).edited == ""
    with Memory(tmp_path, read_only=True, embedder=open_embedder("minilm")) as memory:
        assert "Water the plants" in memory.recall("water my plants").text


def test_a_corrected_step_is_corrected_wherever_its_words_stand(tmp_path: Path) -> None:
    (one,) = told(tmp_path, "Where is 4711?")
    with opened(tmp_path) as store:
        step = step_of(store, one)
        action = "find(order=4712)"
        now = edit(
            store, step.id, {"action": action, "answer": "in Bern", "error": "no such order"}
        )
        assert isinstance(now, StepCase) and now.id == step.id
        assert (now.action, now.answer, now.error) == (action, "in Bern", "no such order")
        assert now.call is not None and now.call.arguments == {"order": 4712}
        assert now.gain <= 0  # what was refused brought nothing
        whole = store.whole(one)
        assert whole is not None and whole.actions[0] == action and whole.edited == "person"
        assert editable(step_of(store, one, 1)) == editable(step_of(store, one, 1))
        edit(store, step.id, {"action": "ask a colleague"})
        assert step_of(store, one).call is None


def test_a_correction_outlives_a_verdict_a_snapshot_and_a_copy(tmp_path: Path) -> None:
    one, _ = told(tmp_path / "a", "Where is 4711?", "Where is 4712?")
    with opened(tmp_path / "a") as store:
        edit(store, step_of(store, one, 1).id, {"action": "It is in Bern."}, actor="ann")
        quarantine(store, one, reason="wrong town")
        pin(store, one)
    with Memory(tmp_path / "a", embedder=open_embedder("minilm")) as memory:
        memory.feedback(one, good=False, note="too short")
        store = memory.store
        last = step_of(store, one, 1)
        assert (last.action, last.error, last.edited) == ("It is in Bern.", "too short", "ann")
        state = store.state_hash()
        store.snapshot()
    with opened(tmp_path / "a") as store:
        assert store.state_hash() == state and not store.repaired
        assert list(store.pinned) == [one] and dict(store.set_apart) == {one: "wrong town"}
        export_events(store.ledger, tmp_path / "all.jsonl")
        edit(store, one, {"goal": "Where is parcel 4711?"}, actor="bob")
        assert step_of(store, one, 1).edited == "ann"
        export_events(store.ledger, tmp_path / "more.jsonl")
        later = store.state_hash()
    with opened(tmp_path / "b") as store:
        store.restore(read_rows(tmp_path / "all.jsonl"))
        assert store.state_hash() == state
        store.restore(read_rows(tmp_path / "more.jsonl"))
        assert store.state_hash() == later


def test_two_editors_at_once_get_a_conflict_with_both_texts_and_lose_nothing(
    tmp_path: Path,
) -> None:
    (one,) = told(tmp_path, "Where is 4711?")
    with opened(tmp_path) as store:
        seen = editable(held_named(store, one))
        edit(store, one, {"goal": "Ann's words"}, seen=seen, actor="ann")
        head = store.ledger.head()
        with pytest.raises(EditConflict, match="by ann after you read it") as caught:
            edit(store, one, {"goal": "Bob's words"}, seen=seen, actor="bob")
        assert caught.value.now == {"goal": "Ann's words"}
        assert caught.value.wanted == {"goal": "Bob's words"}
        assert store.ledger.head() == head
        edit(
            store, one, {"plan": "look\nask"}, seen=seen, actor="bob"
        )  # another field: no conflict
        case = held_named(store, one)
        assert isinstance(case, EpisodeCase)
        assert (case.goal, case.plan, case.edited) == ("Ann's words", ("look", "ask"), "bob")


def test_what_is_quarantined_is_not_recalled_until_it_is_released(tmp_path: Path) -> None:
    one, two = told(tmp_path, "Where is parcel 4711?", "Where is parcel 4712?")
    with Memory(tmp_path, embedder=open_embedder("minilm")) as memory:
        store = memory.store

        def recalled() -> set[str]:
            return {item.episode for item in memory.recall("Where is parcel 4713?").items}

        with pytest.raises(UsageError, match="say why"):
            quarantine(store, one)
        quarantine(store, step_of(store, one).id, reason="of another shop")
        assert store.trust(held_named(store, one)) == "quarantined"
        assert one not in recalled()
        assert all(case.episode != one for case in CaseMemory(store).visible("memory"))
        quarantine(store, one, reason="said twice")  # once is enough
        assert len(list(store.ledger.read(types=("quarantined",)))) == 1
        quarantine(store, one, on=False)
        assert store.trust(held_named(store, one)) == "observed"
        assert list(store.set_apart) == []
        assert not store.fold.set_aside
    assert replay(tmp_path, compare=True).problems == ()


def test_a_pinned_episode_is_never_let_go(tmp_path: Path) -> None:
    names = told(tmp_path, *(f"Where is parcel {n}?" for n in range(4)))
    with opened(tmp_path, capacity=1) as store:
        pin(store, names[0], actor="ann")
        assert {case.episode for case in store.episodes.values()} == {names[0]}
        pin(store, names[0], on=False)
        assert list(store.pinned) == []
        with pytest.raises(UnknownCase):
            pin(store, names[1])  # let go
    assert replay(tmp_path, compare=True).problems == ()


def test_corrections_are_forgotten_with_their_episode(tmp_path: Path) -> None:
    one, _ = told(tmp_path / "a", "Where is 4711?", "Where is 4712?")
    with opened(tmp_path / "a") as store:
        edit(store, one, {"goal": "SECRET-9"}, reason="SECRET-8")
        quarantine(store, one, reason="SECRET-7")
        pin(store, one, reason="SECRET-6")
        assert len(CaseMemory(store).episodes("SECRET-9", env="memory", k=3)) > 0
        forget(store, one, cascade=True)
        assert not store.pinned and not store.set_apart
    files = [path for path in (tmp_path / "a").rglob("*") if path.is_file()]
    assert files and not any(b"SECRET-" in path.read_bytes() for path in files)


def test_what_cannot_be_right_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (one,) = told(tmp_path, "Where is 4711?")
    with opened(tmp_path) as store:
        head = store.ledger.head()
        for wrong, said in (
            ({"outcome": "failure"}, "cannot be edited here; of this case can: goal, plan"),
            ({"goal": "  "}, "cannot be empty"),
            ({"goal": "Where is 4711?"}, "nothing was changed"),
            ({}, "nothing was changed"),
        ):
            with pytest.raises(UsageError, match=said):
                edit(store, one, wrong)
        for name in ("", "none"):
            with pytest.raises(UnknownCase):
                edit(store, name, {"goal": "x"})
        assert store.ledger.head() == head
        half = edit(store, one, {"goal": "half \ud83d"})
        assert isinstance(half, EpisodeCase) and half.goal == "half \ufffd"


def test_a_subtask_and_its_plan_can_be_corrected(folder: Path) -> None:
    with opened(folder) as store:
        for kind in (StepCase, EpisodeCase, SubtaskCase):
            for case in list(store.held(kind).values())[:1]:
                for field in editable(case):
                    now = edit(store, case.id, {field: "put it there\nnow"})
                    assert editable(now)[field] == "put it there\nnow" and now.edited
        state = store.state_hash()
    assert replay(folder, compare=True).state_hash == state
