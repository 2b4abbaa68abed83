"""Working memory: ways that were never taken come first."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from lichen.agent.acting.working_memory import WorkingMemory
from lichen.agent.open_agent import OpenAgent
from lichen.envs import Observation, Task

TASK = Task(id="x/1", env="x", family="x", split="dev")
SEEN = Observation(
    text="You are here. You see a coin.",
    goal="take the coin",
    admissible=("look", "take coin", "take cup"),
    score=0.0,
    won=False,
    task=TASK,
    steps=0,
)


def agent(folder: Path, llm: object = None, **options: object) -> OpenAgent:
    return OpenAgent.from_config(store=folder, embedder="hashing", llm=llm, **options)  # type: ignore[arg-type]


def test_working_memory_prefers_ways_that_were_never_taken() -> None:
    def at(room: str, ways: Sequence[str]) -> Observation:
        return SEEN.model_copy(
            update={"text": f"You are in the {room}.", "admissible": tuple(sorted(ways))}
        )

    hall, den, attic = (
        at("hall", ["move north", "move east"]),
        at("den", ["move south"]),
        at("attic", ["move west"]),
    )
    working = WorkingMemory()
    working.begin(hall)
    working.note(hall, "move north", den)
    working.note(den, "move south", hall)
    assert working.novelty(hall, ["move east", "move north"]).tolist() == [
        1.0,
        pytest.approx(0.8**2),
    ]
    working.note(hall, "move east", attic)
    assert working.novelty(attic, ["move west"]).tolist() == [1.0]


def test_a_shut_way_is_tried_again_when_the_place_has_changed() -> None:
    def at(door: str) -> Observation:
        look = f"You are in the hall. The door is {door}."
        return SEEN.model_copy(update={"look": look, "admissible": ("move north", "open door")})

    den = SEEN.model_copy(update={"look": "You are in the den.", "admissible": ("move south",)})
    shut, open_ = at("shut"), at("open")
    working = WorkingMemory()
    working.begin(den)
    working.note(den, "move south", shut)
    working.note(shut, "move north", shut)
    assert working.novelty(shut, ["move north"]).tolist() == [0.0]
    working.note(shut, "open door", open_)
    assert working.novelty(open_, ["move north"]).tolist() == [1.0]
