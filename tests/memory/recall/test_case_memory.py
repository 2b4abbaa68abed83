"""Reads: what was lived is found, strangers abstain, frozen views see nothing later."""

from pathlib import Path

import numpy as np

from lichen.memory import Store
from lichen.memory.ledger.events import EpisodeEnded, EpisodeStarted, Event, Stepped
from lichen.memory.ledger.ledger import Entry
from lichen.memory.ledger.records import State
from lichen.memory.likeness.embedder import HashingEmbedder, open_embedder
from lichen.memory.recall.case_memory import CaseMemory
from lichen.memory.recall.retriever import RetrieverConfig
from lichen.memory.recall.value import advantages


def opened(folder: Path, *, read_only: bool = False) -> Store:
    return Store(folder, embedder=HashingEmbedder(), clock=lambda: 0.0, read_only=read_only)


def episode(
    outcome: str, name: str = "e", *, learn: bool = True, worth: float = 1.0
) -> list[Entry]:
    started = EpisodeStarted(
        env="x", family="f", split="train", task_id="x/1", goal="take the coin", source="own"
    )
    stepped = Stepped(
        step=0,
        goal="take the coin",
        text="You see a coin.",
        inventory="",
        recent=(),
        action="take coin",
        observation="Taken.",
        score_before=0.0,
        score_after=worth,
    )
    ended = EpisodeEnded(outcome=outcome, score=worth, steps=1, learn=learn)  # type: ignore[arg-type]
    events: list[tuple[str, Event]] = [("start", started), ("step", stepped), ("end", ended)]
    return [Entry(f"{name}/{key}", "run", name, event) for key, event in events]


GOALS = (
    "sort the quarterly report by date",
    "sort the quarterly report by name",
    "sort the quarterly report by size",
    "sort the quarterly report by owner",
    "send invoice AX-7731 to the customer",
    "water the plants in the hall",
)


def goals(memory: CaseMemory, asked: str, k: int = 3, **options: str) -> list[str]:
    return [case.goal for case, _ in memory.episodes(asked, env="office", k=k, **options)]


def test_reads_find_the_step_that_was_lived_and_exchange_the_entities(folder: Path) -> None:
    with opened(folder) as store:
        case = next(c for c in store.steps.values() if c.action.startswith("take spoon"))
        goal = case.state.goal.replace("spoon", "fork")
        state = State(
            goal=goal, text=case.state.text.replace("spoon", "fork"), recent=case.state.recent
        )
        hits = CaseMemory(store).read(state, env="alfworld-mini").hits
        assert hits[0].case.id == case.id
        assert hits[0].action.startswith("take fork")
        assert hits[0].similarity > 0.95
        actions = ["take fork 1 from countertop 2", "go to fridge 1", "look"]
        assert (
            int(
                np.argmax(
                    advantages(state, CaseMemory(store).read(state, env="alfworld-mini"), actions)
                )
            )
            == 0
        )


def test_far_states_abstain_and_other_environments_never_answer(folder: Path) -> None:
    with opened(folder) as store:
        memory = CaseMemory(store)
        far = State(goal="write a sonnet", text="An empty page lies there.")
        assert memory.read(far, env="alfworld-mini").abstained
        near = next(iter(store.steps.values())).state
        assert memory.read(near, env="twx").abstained
        assert not memory.read(near, env="alfworld-mini").abstained


def test_a_frozen_memory_sees_no_later_case(folder: Path) -> None:
    with opened(folder) as store:
        for state in [case.state for case in list(store.steps.values())[:20]]:
            hits = CaseMemory(store, first=3).read(state, env="alfworld-mini").hits
            assert all(hit.case.rank < 3 for hit in hits)
        assert CaseMemory(store, first=0).read(state, env="alfworld-mini").abstained
        before = CaseMemory(store, first=3).read(state, env="alfworld-mini")
        store.append(episode("success", "later"))
        store.absorb()
        assert CaseMemory(store, first=3).read(state, env="alfworld-mini") == before


def test_a_whole_read_has_a_gate_and_leaves_its_own_task_out(
    office: Path,
) -> None:
    asked = "sort the quarterly report by date and time"
    with Store(office, embedder=open_embedder("minilm")) as store:
        plain = CaseMemory(store)
        assert goals(plain, asked)[0] == GOALS[0] and len(goals(plain, asked)) == 3
        assert GOALS[0] not in goals(plain, asked, task_id="office/0")
        allowed = CaseMemory(store, RetrieverConfig(same_task=True))
        assert GOALS[0] in goals(allowed, asked, task_id="office/0")
        strict = CaseMemory(store, RetrieverConfig(delta=0.95))
        assert goals(strict, "bake a chocolate cake") == []
        frozen = CaseMemory(store, RetrieverConfig(delta=0.0), first=2)
        assert set(goals(frozen, asked, k=6)) == set(GOALS[:2])


def test_a_world_whose_events_are_worth_little_is_as_clear_as_one_that_is_won_at_once(
    tmp_path: Path,
) -> None:
    found = {}
    for worth in (1.0, 0.05):
        with opened(tmp_path / str(worth)) as store:
            store.append(episode("failure", worth=worth))
            store.absorb()
            state = State(goal="take the coin", text="You see a coin.")
            hits = CaseMemory(store).read(state, env="x", task_id="x/2")
            assert hits.scale == worth
            found[worth] = advantages(state, hits, ["take coin", "wait"])
    assert np.allclose(found[1.0], found[0.05])
