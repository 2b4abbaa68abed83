"""State = fold(events): what becomes a record, what teaches credit, and what never does."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from lichen.envs.types import Outcome
from lichen.memory import Store
from lichen.memory.credit.credit import context_of
from lichen.memory.kinds.installed import SHIPPED, make
from lichen.memory.ledger.content_id import evidence_of
from lichen.memory.ledger.events import (
    EpisodeEnded,
    EpisodeStarted,
    Event,
    Forgotten,
    Judged,
    Planned,
    Recalled,
    RecalledItem,
    SkillCalled,
    Stepped,
    SubtaskEnded,
)
from lichen.memory.ledger.ledger import Entry, LedgerRow
from lichen.memory.ledger.records import EpisodeCase, Judge, MemoryRecord, StepCase, SubtaskCase
from lichen.memory.likeness.embedder import HashingEmbedder
from lichen.memory.store.fold import Fold

GOAL = "take the coin"
STARTED = EpisodeStarted(
    env="x", family="f", split="train", task_id="x/1", goal=GOAL, source="own", llm="m"
)


def stepped(step: int, *, action: str = "take coin", gained: float = 1.0) -> Stepped:
    return Stepped(
        step=step,
        goal=GOAL,
        text=f"You see a coin, {step}.",
        inventory="",
        recent=(),
        action=action,
        observation="Taken.",
        score_before=0.0,
        score_after=gained,
    )


def ended(
    outcome: Outcome = "success", *, learn: bool = True, judge: Judge = "environment"
) -> EpisodeEnded:
    score = float(outcome == "success")
    return EpisodeEnded(outcome=outcome, score=score, steps=1, learn=learn, judge=judge)


def read(*items: tuple[str, bool, float], grain: str = "steps") -> Recalled:
    found = tuple(
        RecalledItem(case=case, exposed=shown, propensity=chance) for case, shown, chance in items
    )
    return Recalled(
        step=0,
        considered=len(found),
        items=found,
        abstained=False,
        grain=grain,  # type: ignore[arg-type]
    )


class Rows:
    """Makes rows of a ledger, one after another."""

    def __init__(self) -> None:
        self._seq = count(1)

    def row(self, episode: str, event: Event | None) -> LedgerRow:
        seq = next(self._seq)
        return LedgerRow(
            seq, f"id{seq}", f"{episode}/{seq}", "run", episode, "agent", "own", (), 0.0, event
        )

    def of(self, episode: str, *events: Event) -> Iterator[LedgerRow]:
        return (self.row(episode, event) for event in (STARTED, *events))


def fresh() -> Fold:
    return Fold(make(SHIPPED))


def folded(fold: Fold, rows: Iterator[LedgerRow]) -> list[MemoryRecord]:
    return [record for made in fold.apply(rows) for record in made]


def test_an_episode_leaves_a_whole_its_steps_and_its_subtasks() -> None:
    plan = Planned(step=0, subtasks=("find it", "take it"))
    parts = [
        SubtaskEnded(
            step=i + 1,
            first=i,
            text=text,
            index=i,
            of=2,
            attempt=0,
            outcome="success",
            result="done",
            judge="critic",
        )
        for i, text in enumerate(plan.subtasks)
    ]
    events = (plan, stepped(0, gained=0.0), parts[0], stepped(1), parts[1], ended())
    fold = fresh()
    found = folded(fold, Rows().of("e", *events))
    assert [type(record) for record in found] == [
        EpisodeCase,
        StepCase,
        StepCase,
        SubtaskCase,
        SubtaskCase,
    ]
    whole, first, second, *subtasks = found
    assert isinstance(whole, EpisodeCase) and isinstance(first, StepCase)
    assert whole.plan == plan.subtasks and whole.actions == ("take coin",) * 2
    assert whole.events == ("e/1", "e/7") and first.events == ("e/3", "e/7")
    assert isinstance(second, StepCase) and (first.gain, second.gain) == (0.95, 1.0)
    assert [record.text for record in subtasks if isinstance(record, SubtaskCase)] == [
        "find it",
        "take it",
    ]
    assert {record.rank for record in found} == {0} and fold.episodes == 1 and not fold.open
    assert fold.sources == {record.id: "e" for record in found}


def test_episodes_that_run_side_by_side_are_kept_apart() -> None:
    rows = Rows()
    one = list(rows.of("one", stepped(0, action="go north"), ended()))
    two = list(rows.of("two", stepped(0, action="go south"), ended("failure")))
    mixed = [row for pair in zip(one, two, strict=True) for row in pair]
    fold = fresh()
    made = list(fold.apply(mixed[:4]))
    assert made == [] and set(fold.open) == {"one", "two"}
    wholes = [r for r in folded(fold, iter(mixed[4:])) if isinstance(r, EpisodeCase)]
    assert [(c.episode, c.rank, c.actions) for c in wholes] == [
        ("one", 0, ("go north",)),
        ("two", 1, ("go south",)),
    ]


def test_what_is_no_evidence_leaves_no_records() -> None:
    rows, fold = Rows(), fresh()
    assert folded(fold, rows.of("unknown", stepped(0), ended("unknown"))) == []
    assert folded(fold, rows.of("evaluated", stepped(0), ended(learn=False))) == []
    assert folded(fold, rows.of("idle", ended())) == []
    assert folded(fold, rows.of("unended", stepped(0))) == []
    emptied = [*rows.of("emptied", stepped(0)), rows.row("emptied", None)]
    assert folded(fold, iter([*emptied, rows.row("emptied", ended())])) == []
    assert fold.episodes == 0 and set(fold.open) == {"unended"}


def test_forgotten_evidence_is_refused_and_who_saw_it_is_flagged() -> None:
    rows, fold = Rows(), fresh()
    gone = Forgotten(target="e", evidence=evidence_of("x/1", ["take coin"]), dependants=("later",))
    folded(fold, iter([rows.row("", gone)]))
    assert folded(fold, rows.of("again", stepped(0), ended())) == []
    assert folded(fold, rows.of("other", stepped(0, action="wait"), ended())) != []
    assert fold.flagged == {"later": "e"}


def test_reads_teach_credit_once_an_item_and_only_where_chance_had_a_say() -> None:
    rows, fold = Rows(), fresh()
    a = folded(fold, rows.of("a", stepped(0), ended()))
    b = folded(fold, rows.of("b", stepped(0, action="wait"), ended("failure")))
    again = read((a[1].id, False, 0.5), (b[0].id, True, 0.9))  # said already, at the first read
    events = (
        read((a[0].id, True, 0.5), (b[0].id, False, 0.5), ("of a forgotten one", True, 0.5)),
        again,
        stepped(0),
        ended(learn=False),  # an evaluation teaches credit, and leaves no case
    )
    assert folded(fold, rows.of("acting", *events)) == []
    (seen,) = fold.observed
    assert seen.context == context_of("f", GOAL) and seen.outcome == 1.0 and seen.rank == 2
    assert [(e.item, e.exposed, e.propensity) for e in seen.exposures] == [
        ("a", True, 0.5),
        ("b", False, 0.5),
    ]
    assert fold.credit.uplift("a").n == fold.credit.uplift("b").n == 1
    assert fold.credit.uplift("a").mean > 0
    certain = read((a[0].id, False, 0.0))  # never shown: it says nothing
    folded(fold, rows.of("certain", certain, stepped(0), ended(learn=False)))
    assert len(fold.observed) == 1
    assert fold.credit_as_of(2).uplift("a").n == 0 and fold.credit_as_of(3).uplift("a").n == 1


def test_skills_are_counted_by_llm_and_credited_apart_from_cases() -> None:
    rows, fold = Rows(), fresh()
    called = SkillCalled(step=0, skill="fetch@1", arguments={}, outcome="success", steps=2)
    offered = read(("fetch@1", True, 0.5), ("drop@1", False, 0.5), grain="skills")
    folded(fold, rows.of("e", offered, offered, called, stepped(0), ended()))
    use = fold.uses.of("fetch@1", "m")
    assert (use.exposed, use.called, use.succeeded, use.steps) == (1, 1, 1, 2)
    assert fold.uses.of("drop@1", "m").exposed == 0 == fold.uses.of("fetch@1", "other").called
    assert fold.uses.uplift("fetch@1", "m").n == 1 and fold.observed == []


def test_a_critics_outcomes_are_corrected_by_what_its_word_was_worth() -> None:
    rows, fold = Rows(), fresh()
    (case, *_) = folded(fold, rows.of("a", stepped(0), ended()))
    seen = read((case.id, True, 0.5))
    doubted = rows.of("unchecked", seen, stepped(0), ended(judge="critic", learn=False))
    folded(fold, doubted)
    assert fold.observed == []  # a critic never checked is a coin: its word says nothing
    checks = [Judged(said=truth, truth=truth) for truth in (True, False) * 20]
    folded(fold, rows.of("checked", *checks, stepped(0), ended(learn=False)))
    folded(fold, rows.of("judged", seen, stepped(0), ended(judge="critic", learn=False)))
    (found,) = fold.observed
    expected = fold.judge.corrected(1.0)
    assert expected is not None and found.outcome == pytest.approx(expected) and expected > 1.0


def test_folding_in_parts_and_without_modules_gives_the_same_credit(tmp_path: Path) -> None:
    with Store(tmp_path, embedder=HashingEmbedder(), clock=lambda: 0.0) as store:
        for number, action in enumerate(("take coin", "wait")):
            events: list[Event] = [STARTED, stepped(0, action=action), ended()]
            name = f"e{number}"
            store.append(
                [Entry(f"{name}/{i}", "run", name, event) for i, event in enumerate(events)]
            )
            assert [case.rank for case in store.absorb()] == [number]
        at_once = fresh()
        records = {record.id: record for record in folded(at_once, store.ledger.read())}
        assert records == {record.id: record for record in store.records()}
        assert at_once.seq == store.fold.seq == 6
        bare = Fold()
        assert folded(bare, store.ledger.read()) == [] and bare.episodes == 2
