"""A new kind of memory is one class that keeps the protocol: here lessons, the reasons of lost episodes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from lichen.envs.errors import UsageError
from lichen.memory import (
    CaseMemory,
    EndedEpisode,
    EpisodeCase,
    LedgerRow,
    MemoryModule,
    MemoryRecord,
    RecordKind,
    StepCase,
    Store,
    content_id,
    installed,
)
from lichen.memory.forgetting.explain import verify_store
from lichen.memory.forgetting.forget import forget
from lichen.memory.kinds.installed import SHIPPED
from lichen.memory.kinds.tool_module import ToolModule
from lichen.memory.ledger.events import EpisodeEnded, EpisodeStarted, Event, RunStarted, Stepped
from lichen.memory.ledger.ledger import Entry
from lichen.memory.likeness.embedder import HashingEmbedder
from lichen.memory.store.replay import replay


class Lesson(MemoryRecord):
    """Why an episode was lost."""

    text: str
    run: int
    """How many runs had begun by then."""


class Lessons(MemoryModule):
    """Remembers why episodes were lost, and counts the runs."""

    name = "lessons"
    kinds = (RecordKind("lessons", Lesson, text=lambda lesson: lesson.text),)
    folds = (RunStarted,)

    def __init__(self) -> None:
        self.runs = 0
        self.held: set[str] = set()

    def fold(self, row: LedgerRow) -> None:
        """Count a run."""
        self.runs += 1

    def derive(self, episode: EndedEpisode) -> Sequence[MemoryRecord]:
        """Return the lesson of a lost episode."""
        if episode.ended.outcome != "failure":
            return ()
        lesson = Lesson(
            id=content_id("lesson", episode.id),
            episode=episode.id,
            rank=episode.rank,
            env=episode.started.env,
            family=episode.started.family,
            text=episode.ended.reason,
            run=self.runs,
        )
        return (lesson,)

    def hold(self, records: Sequence[MemoryRecord]) -> None:
        """Take note of lessons."""
        self.held |= {record.id for record in records}

    def drop(self, records: Sequence[MemoryRecord]) -> None:
        """Take note of lessons that go."""
        self.held -= {record.id for record in records}

    def state(self) -> dict[str, Any]:
        """Return all of it."""
        return {"runs": self.runs, "held": sorted(self.held)}

    def restore(self, state: dict[str, Any]) -> None:
        """Take it back."""
        self.runs, self.held = state["runs"], set(state["held"])


WITH = (*SHIPPED, Lessons)
REASONS = ("the iron door was locked", "no water was left in the kettle", "the lamp went out")


def opened(folder: Path, modules: Sequence[type[MemoryModule]] | None = WITH) -> Store:
    return Store(folder, modules=modules, embedder=HashingEmbedder(), clock=lambda: 0.0)


def episode(number: int, reason: str) -> list[Entry]:
    """Return the events of a run with one episode, lost if there is a reason."""
    goal, name = f"do thing {number}", f"e{number}"
    begun = RunStarted(command="learn", suite="s", seed=0, fingerprint="", config={})
    started = EpisodeStarted(
        env="x", family="f", split="train", task_id=f"x/{number}", goal=goal, source="own"
    )
    stepped = Stepped(
        step=0,
        goal=goal,
        text=f"You see thing {number}.",
        inventory="",
        recent=(),
        action=f"take thing {number}",
        observation="",
        score_before=0.0,
        score_after=0.0 if reason else 1.0,
    )
    ended = EpisodeEnded(
        outcome="failure" if reason else "success",
        score=0.0 if reason else 1.0,
        steps=1,
        reason=reason,
    )
    events: list[Event] = [started, stepped, ended]
    return [
        Entry(f"run{number}", name, "", begun),
        *(Entry(f"{name}/{i}", name, name, event) for i, event in enumerate(events)),
    ]


def learn(store: Store, *, first: int = 0) -> None:
    for number, reason in enumerate((*REASONS, ""), start=first):
        store.append(episode(number, reason))
        store.absorb()


def texts(store: Store) -> list[str]:
    return [lesson.text for lesson in store.held(Lesson).values()]


def test_its_records_are_folded_replayed_and_part_of_the_state(tmp_path: Path) -> None:
    with opened(tmp_path / "a") as store:
        learn(store)
        assert texts(store) == list(REASONS)
        assert [lesson.run for lesson in store.held(Lesson).values()] == [1, 2, 3]
        assert store.module(Lessons).runs == 4
        state = store.state_hash()
    with Store(tmp_path / "a", modules=WITH, read_only=True, snapshot=False) as store:
        assert store.state_hash() == state
        assert store.table_damage() == []
    with opened(tmp_path / "b", SHIPPED) as store:  # the same without it is another state
        learn(store)
        without = store.state_hash()
        assert without != state and store.held(Lesson) == {}
        with pytest.raises(UsageError, match="'lessons'"):
            store.module(Lessons)
        with pytest.raises(UsageError, match="Lesson"):
            store.index(Lesson)
    with opened(tmp_path / "a", SHIPPED) as store:  # the module was removed: so are its records
        assert store.state_hash() == without
    with opened(tmp_path / "b") as store:  # it came later: it reads what was there before
        assert store.state_hash() == state


def test_a_snapshot_keeps_its_records_and_what_it_folded(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        learn(store)
        store.snapshot()
        store.append(episode(9, "it rained"))
        store.absorb()
        state, told = store.state_hash(), store.module(Lessons).state()
    with opened(tmp_path) as store:
        assert store._snapshots.seq > 0 and store.repaired == []
        assert store.state_hash() == state and store.module(Lessons).state() == told
        assert texts(store) == [*REASONS, "it rained"]
    with opened(tmp_path, SHIPPED) as store:  # a snapshot of other modules is none
        assert store._snapshots.seq == 0


def test_it_is_searched_in_its_own_index(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        learn(store)
        memory = CaseMemory(store)
        for reason in REASONS:
            found = memory.find(Lesson, reason, env="x", k=1)
            assert found[0][0].text == reason and found[0][1] == pytest.approx(1.0)
        assert memory.find(Lesson, REASONS[0], env="y", k=1) == []
        own = memory.find(Lesson, REASONS[0], env="x", k=1, task_id="x/0")
        assert all(lesson.text != REASONS[0] for lesson, _ in own)
        frozen = CaseMemory(store, first=1)
        assert frozen.find(Lesson, REASONS[0], env="x", k=9)[0][0].text == REASONS[0]
        assert all(case.rank < 1 for case, _ in frozen.find(Lesson, REASONS[1], env="x", k=9))
        store.append(episode(9, "it rained"))  # into the index that is open
        store.absorb()
        assert memory.find(Lesson, "it rained", env="x", k=1)[0][0].text == "it rained"


def test_forgetting_an_episode_takes_its_record_and_evicting_it_too(tmp_path: Path) -> None:
    with opened(tmp_path / "never") as store:
        for number in (1, 2, 3):
            store.append(episode(number, (*REASONS, "")[number]))
        store.absorb()
        wanted = {lesson.id for lesson in store.held(Lesson).values()}
    with opened(tmp_path / "a") as store:
        learn(store)
        _ = store.index(Lesson)
        gone = next(iter(store.held(Lesson)))
        forget(store, gone, cascade=True)  # named by its lesson
        assert set(store.held(Lesson)) == wanted == store.module(Lessons).held
        assert {item.id for item in store.index(Lesson).items()} == wanted
        store.capacity = 2
        assert [event.target for event in store.bound()] == ["e1"]
        assert texts(store) == [REASONS[2]]
        assert store.module(Lessons).held == set(store.held(Lesson))
        assert {item.id for item in store.index(Lesson).items()} == set(store.held(Lesson))
        assert {type(record) for record in store.records()} == {EpisodeCase, StepCase, Lesson}
        state = store.state_hash()
    for snapshot in (True, False):
        with Store(tmp_path / "a", modules=WITH, read_only=True, snapshot=snapshot) as store:
            assert store.state_hash() == state and store.table_damage() == []
    content = b"".join(p.read_bytes() for p in (tmp_path / "a").rglob("*") if p.is_file())
    assert REASONS[0].encode() not in content and REASONS[2].encode() in content


@pytest.fixture
def points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install a package that offers the module, and return its file of entry points."""
    package = tmp_path / "site" / "lessons-1.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: lessons\nVersion: 1\n")
    found = package / "entry_points.txt"
    found.write_text(f"[lichen.memory]\nlessons = {__name__}:Lessons\n")
    monkeypatch.syspath_prepend(package.parent)
    return found


def test_a_package_offers_it_by_an_entry_point(tmp_path: Path, points: Path) -> None:
    assert installed() == WITH
    with opened(tmp_path / "store", None) as store:
        learn(store)
        _ = store.index(Lesson)
        state = store.state_hash()
    found = replay(tmp_path / "store", compare=True)
    assert (found.state_hash, found.problems) == (state, ())
    with Store(tmp_path / "store", embedder=HashingEmbedder()) as store:
        assert store.state_hash() == state and texts(store) == list(REASONS)
    points.write_text("[lichen.memory]\nlessons = no_such_module:Lessons\n")
    with pytest.raises(UsageError, match="'lessons' .* cannot be loaded"):
        installed()


def test_modules_that_cannot_live_together_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="two memory modules claim the name 'lessons'"):
        opened(tmp_path, (*WITH, Lessons))
    with pytest.raises(UsageError, match="without cases"):
        opened(tmp_path, (ToolModule, Lessons))


@pytest.mark.usefixtures("points")
def test_verifying_a_store_looks_at_the_index_of_a_new_kind_too(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    with Store(folder) as store:  # verification reads with the usual embedder
        learn(store)
        index = store.index(Lesson)
        assert verify_store(folder).problems == ()
        index.remove([next(iter(store.held(Lesson)))])
        store.index(StepCase).remove([next(iter(store.steps))])
    assert sum("lacks case" in problem for problem in verify_store(folder).problems) == 2
