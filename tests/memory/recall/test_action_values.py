"""What actions gained in the agent's own steps, where no state comes back."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lichen.agent.lab.placebo.memory_placebo import PlaceboMemory
from lichen.memory import Store
from lichen.memory.ledger.events import EpisodeEnded, EpisodeStarted, Event, Stepped
from lichen.memory.ledger.ledger import Entry
from lichen.memory.ledger.records import Source, State
from lichen.memory.likeness.embedder import HashingEmbedder
from lichen.memory.recall.case_memory import CaseMemory
from lichen.memory.recall.value import PRIOR, advantages

GOAL = "tidy the house"
OPTIONS = ["take lamp", "open chest", "sing"]


def lived(
    store: Store, name: str, steps: Sequence[tuple[str, float]], *, source: Source = "own"
) -> None:
    """An episode of (action, score afterwards) in a room of its own."""
    events: list[Event] = [
        EpisodeStarted(
            env="x", family="f", split="train", task_id=f"x/{name}", goal=GOAL, source=source
        )
    ]
    before = 0.0
    for number, (action, score) in enumerate(steps):
        events.append(
            Stepped(
                step=number,
                goal=GOAL,
                text=f"You are in room {name}.",
                inventory="",
                recent=(),
                action=action,
                observation="Done.",
                score_before=before,
                score_after=score,
            )
        )
        before = score
    events.append(EpisodeEnded(outcome="failure", score=before, steps=len(steps)))
    store.append([Entry(f"{name}/{n}", "run", name, event) for n, event in enumerate(events)])
    store.absorb()


def taught(folder: Path, *, source: Source = "own") -> Store:
    store = Store(folder, embedder=HashingEmbedder(), clock=lambda: 0.0)
    for name, thing in enumerate(("cup", "book", "pen", "key")):
        steps = [(f"take {thing}", 0.5), (f"open box {name}", 0.5), (f"take {thing}", 0.5)]
        lived(store, f"{name}", steps, source=source)
    return store


def here(name: str = "9") -> State:
    return State(goal=GOAL, text=f"You are in room {name}.")


def test_a_verb_that_gained_is_preferred_with_things_that_were_never_seen(tmp_path: Path) -> None:
    with taught(tmp_path) as store:
        hits = CaseMemory(store).read(here(), env="x")
        take, open_, sing = advantages(here(), hits, OPTIONS)
        assert take > max(open_, sing)
        unshown = hits.model_copy(update={"own": {}})
        assert np.ptp(advantages(here(), unshown, ["take lamp", "take vase"])) == 0


def test_what_gained_nothing_when_done_again_is_left(tmp_path: Path) -> None:
    with taught(tmp_path) as store:
        hits = CaseMemory(store).read(here(), env="x")
        options = ["take lamp", "take vase"]
        lamp, vase = advantages(here(), hits, options, done={"take lamp"})
        assert vase > lamp


def test_while_learning_what_was_never_done_comes_before_what_is_known_to_bring_nothing(
    tmp_path: Path,
) -> None:
    with taught(tmp_path) as store:
        for number in range(10, 16):
            lived(store, f"{number}", [("sing", 0.0), ("open chest", 0.0)])
        hits = CaseMemory(store).read(here(), env="x")
        options = ["sing", "open chest", "dance"]
        for prior in (PRIOR, 0.2):
            sing, chest, dance = advantages(here(), hits, options, prior=prior)
            assert dance > max(sing, chest)
        eager, plain = (advantages(here(), hits, options, prior=p)[2] for p in (0.2, PRIOR))
        assert eager > plain


def test_demonstrations_placebos_later_episodes_and_the_task_itself_say_nothing(
    tmp_path: Path,
) -> None:
    with taught(tmp_path / "shown", source="demonstration") as store:
        assert not CaseMemory(store).read(here(), env="x").own
    with taught(tmp_path / "own") as store:
        placebo = PlaceboMemory(store, rng=np.random.default_rng(0))
        assert placebo.read(here(), env="x").hits and not placebo.read(here(), env="x").own

        def opened(memory: CaseMemory, task: str | None = None) -> float:
            return memory.read(here(), env="x", task_id=task).own["open", False][0]

        assert opened(CaseMemory(store)) == 4
        assert opened(CaseMemory(store, first=2)) == 2
        assert opened(CaseMemory(store), "x/1") == 3
