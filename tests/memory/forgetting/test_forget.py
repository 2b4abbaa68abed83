"""Forgetting leaves the state that never held the episode, and refuses it when it comes again."""

from pathlib import Path

import pytest

from lichen.envs import UsageError, make
from lichen.memory.forgetting.explain import export_events, verify_store
from lichen.memory.forgetting.forget import forget
from lichen.memory.ledger.errors import StoreUnwritable, UnknownCase
from lichen.memory.ledger.events import (
    EpisodeEnded,
    EpisodeStarted,
    Event,
    Recalled,
    RecalledItem,
    Stepped,
)
from lichen.memory.ledger.ledger import Entry, open_ledger
from lichen.memory.ledger.records import StepCase
from lichen.memory.ledger.row_checks import read_rows
from lichen.memory.likeness.embedder import HashingEmbedder
from lichen.memory.recall.case_memory import CaseMemory
from lichen.memory.store.demonstrations import from_gold, import_demonstrations
from lichen.memory.store.made_from import made_from
from lichen.memory.store.replay import replay
from lichen.memory.store.store import Store


def open_now(folder: Path, **options: object) -> Store:
    return Store(folder, embedder=HashingEmbedder(), **options)  # type: ignore[arg-type]


def demonstrated(folder: Path, which: list[int]) -> None:
    environment = make("alfworld-mini")
    ids = [task.id for task in environment.tasks("train")]
    with open_now(folder) as store:
        import_demonstrations(store, from_gold(environment, [ids[i] for i in which]), run="gold")


def second(store: Store) -> str:
    return next(case.id for case in store.episodes.values() if case.rank == 1)


def _texts(taught: Path) -> set[str]:
    with open_now(taught, read_only=True) as store:
        return {case.state.text for case in store.steps.values()}


GOALS = (
    "sort the quarterly report by date",
    "sort the quarterly report by name",
    "sort the quarterly report by size",
    "sort the quarterly report by owner",
    "send invoice AX-7731 to the customer",
    "water the plants in the hall",
)


def opened(folder: Path, *, read_only: bool = False) -> Store:
    return Store(folder, embedder=HashingEmbedder(), clock=lambda: 0.0, read_only=read_only)


def test_forgetting_leaves_exactly_the_state_that_never_held_it(
    taught: Path, tmp_path: Path
) -> None:
    demonstrated(tmp_path / "without", [0, 2, 3])
    with open_now(tmp_path / "without") as store:
        wanted = store.state_hash()
    with open_now(taught) as store:
        gone = store.episodes[second(store)]
        steps = [case for case in store.steps.values() if case.episode == gone.episode]
        assert len(store.index(StepCase)) == len(store.steps)
        found = forget(store, gone.id, cascade=True)
        assert (found.steps, found.done) == (len(steps), True)
        assert store.state_hash() == wanted
        memory = CaseMemory(store)
        for case in steps:  # probes: nothing brings it back
            hits = memory.read(case.state, env=case.env)
            assert gone.episode not in {hit.case.episode for hit in hits.hits}
        assert gone.id not in {c.id for c, _ in memory.episodes(gone.goal, env=gone.env, k=9)}
    assert replay(taught, compare=True).state_hash == wanted
    assert verify_store(taught).problems == ()
    content = b"".join(p.read_bytes() for p in taught.rglob("*") if p.is_file())
    said = {case.state.text for case in steps} - _texts(taught)
    assert said
    assert all(text.encode() not in content for text in said)


def test_what_was_forgotten_is_refused_when_it_comes_again(
    taught: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with open_now(taught) as store:
        gone = store.episodes[second(store)]
        forget(store, gone.id, cascade=True)
        environment = make("alfworld-mini")
        assert import_demonstrations(store, from_gold(environment, [gone.task_id]), run="x") == []
        assert "forgotten before" in caplog.text
        assert store.repaired == []  # to forget is no damage
        assert len(store.episodes) == 3
        assert store.forgot(gone.task_id, gone.actions)


def test_a_dry_run_and_a_missing_cascade_change_nothing_and_dependants_are_flagged(
    taught: Path,
) -> None:
    with open_now(taught) as store:
        name = second(store)
        episode = store.episodes[name].episode
        step = next(case.id for case in store.steps.values() if case.episode == episode)
        seen = Recalled(
            step=0,
            considered=1,
            items=(RecalledItem(case=step, exposed=True, similarity=1.0, propensity=1.0),),
            abstained=False,
        )
        store.append([Entry("later/recall-0", "run", "later", seen)])
        before, head = store.state_hash(), store.ledger.head()
        assert forget(store, step, dry_run=True).dependants == ("later",)
        with pytest.raises(UsageError, match="1 episodes saw"):
            forget(store, name)
        assert (store.state_hash(), store.ledger.head()) == (before, head)
        forget(store, name, cascade=True)
        assert store.fold.flagged == {"later": episode}


def test_an_episode_that_was_let_go_can_still_be_forgotten_and_leaves_nothing(office: Path) -> None:
    with opened(office) as store:
        store.capacity = 5
        store.bound()
        gone = next(iter(store.evicted))
        forget(store, gone, cascade=True, reason="asked to")
    content = b"".join(path.read_bytes() for path in office.rglob("*") if path.is_file())
    assert GOALS[0].encode() not in content and GOALS[1].encode() in content
    assert not verify_store(office).problems


def ran(store: Store, name: str, run: str, outcome: str, *, learn: bool = True) -> None:
    """Write an episode of one step to the ledger."""
    goal = f"find {SECRET}"
    started = EpisodeStarted(
        env="x", family="f", split="train", task_id=f"x/{name}", goal=goal, source="own"
    )
    step = Stepped(
        step=0, goal=goal, text="", inventory="", recent=(), action=f"say {SECRET}",
        observation="ok", score_before=0, score_after=0,
    )  # fmt: skip
    ended = EpisodeEnded(outcome=outcome, score=0, steps=1, learn=learn)  # type: ignore[arg-type]
    told: list[Event] = [started, step, ended]
    store.append([Entry(f"{name}/{i}", run, name, event) for i, event in enumerate(told)])
    store.settle()


SECRET = "ZQX7SECRET"


def test_any_episode_or_run_can_be_forgotten_whether_or_not_it_was_learned_from(
    tmp_path: Path,
) -> None:
    with open_now(tmp_path) as store:
        ran(store, "task-unknown", "r1", "unknown")
        ran(store, "task-asked", "r1", "success", learn=False)
        ran(store, "task-other", "r2", "unknown")
        assert store.episodes == {}
        assert forget(store, "r1", dry_run=True).episodes == ("task-unknown", "task-asked")
        found = forget(store, "task-unk")
        assert (found.tasks, found.events) == (("x/task-unknown",), 3)
        assert forget(store, "task-unknown").events == 0  # said again, it is no error
        assert forget(store, "r1").events == 3
        assert store.forgot("x/task-asked", [f"say {SECRET}"])
        with pytest.raises(UnknownCase, match="nothing"):
            forget(store, "nobody")
        with pytest.raises(UnknownCase, match="3 ids"):
            forget(store, "task-", dry_run=True)
        forget(store, "task-other")
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes()
    assert verify_store(tmp_path).problems == ()


def test_a_copy_that_forgot_makes_the_store_forget_that_it_is_restored_into(
    taught: Path, tmp_path: Path
) -> None:
    export_events(open_ledger(taught), tmp_path / "before.jsonl")
    with open_now(tmp_path / "copy") as copy:
        copy.restore(read_rows(tmp_path / "before.jsonl"))
        with open_now(taught) as store:
            gone = store.episodes[second(store)]
            forget(store, gone.id, cascade=True)
            state = store.state_hash()
        export_events(open_ledger(taught), tmp_path / "after.jsonl")
        assert copy.restore(read_rows(tmp_path / "after.jsonl")) == 1
        assert copy.state_hash() == state
    assert verify_store(tmp_path / "copy").problems == ()
    said = b"".join(p.read_bytes() for p in (tmp_path / "copy").rglob("*") if p.is_file())
    assert gone.episode.encode() in said and gone.goal.encode() not in said


def test_what_lies_beside_the_ledger_and_cannot_go_is_tried_again_at_the_next_opening(
    taught: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with open_now(taught) as store:
        name = second(store)
        made_from(taught / "made", [store.episodes[name].episode])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("shutil.rmtree", lambda path, **more: None)
            with pytest.raises(StoreUnwritable, match="cannot be removed"):
                forget(store, name, cascade=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shutil.rmtree", lambda path, **more: None)
        with open_now(taught) as store:  # opening is never prevented by it
            assert len(store.episodes) == 3
    assert "not gone from every file yet" in caplog.text and (taught / "made").exists()
    open_now(taught).close()
    assert "finished forgetting" in caplog.text and not (taught / "made").exists()
