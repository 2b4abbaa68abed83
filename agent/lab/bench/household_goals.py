"""Generated household episodes for `lichen bench retrieval`: distinct goals, one step each, from a seed.

No environment has 100,000 tasks with different words, so the words of ALFWorld's are combined: goals are
about 15 words long, states about 60, and every number of them is drawn from one generator.
"""

from collections.abc import Iterator

import numpy as np

from ....memory.ledger.events import EpisodeEnded, EpisodeStarted, Stepped
from ....memory.ledger.ledger import Entry
from ....memory.ledger.records import State

ENV = "household"

_THINGS = [
    "apple",
    "book",
    "bowl",
    "bread",
    "candle",
    "cellphone",
    "cloth",
    "cup",
    "egg",
    "fork",
    "glassbottle",
    "kettle",
    "keychain",
    "knife",
    "ladle",
    "laptop",
    "lettuce",
    "mug",
    "newspaper",
    "pan",
    "pencil",
    "pillow",
    "plate",
    "pot",
    "potato",
    "remote",
    "saltshaker",
    "soapbar",
    "spatula",
    "spoon",
    "statue",
    "tomato",
    "towel",
    "vase",
    "watch",
    "wateringcan",
]
_PLACES = [
    "armchair",
    "bathtub",
    "bed",
    "cabinet",
    "cart",
    "coffeetable",
    "countertop",
    "desk",
    "diningtable",
    "drawer",
    "dresser",
    "fridge",
    "garbagecan",
    "microwave",
    "ottoman",
    "safe",
    "shelf",
    "sidetable",
    "sinkbasin",
    "sofa",
    "stoveburner",
    "toilet",
]
_ROOMS = [
    "kitchen",
    "bedroom",
    "bathroom",
    "livingroom",
    "hallway",
    "cellar",
    "attic",
    "garage",
    "workshop",
    "garden",
]
_KINDS = ["clean", "hot", "cool", "dirty", "wooden", "blue", "small", "heavy", "broken", "old"]
_DOINGS = ("put", "look at", "take", "bring", "find", "hide", "count", "examine")
_PEOPLE = ["Anna", "Ben", "Carla", "David", "Elif", "Farid", "Grete", "Hugo", "Ines", "Jonas"]


def goals(rng: np.random.Generator, known: set[str]) -> Iterator[str]:
    """Yield goals that are not in `known`, and put each into it."""

    def one(words: list[str] | tuple[str, ...]) -> str:
        return words[int(rng.integers(len(words)))]

    while True:
        goal = (
            f"{one(_DOINGS)} the {one(_KINDS)} {one(_THINGS)} of {one(_PEOPLE)} from the "
            f"{one(_PLACES)} in the {one(_ROOMS)} to the {one(_PLACES)}"
        )
        if goal not in known:
            known.add(goal)
            yield goal


def state(rng: np.random.Generator, goal: str) -> State:
    """Return a state of a task: a room with its furniture and things, what is carried, what was done."""
    places = [_PLACES[int(i)] for i in rng.choice(len(_PLACES), 6, replace=False)]
    things = [_THINGS[int(i)] for i in rng.choice(len(_THINGS), 7, replace=False)]
    numbers = rng.integers(1, 6, 12)
    text = (
        f"You are in the {_ROOMS[int(rng.integers(len(_ROOMS)))]}. Looking around, you see "
        + ", ".join(f"a {p} {n}" for p, n in zip(places, numbers, strict=False))
        + f". On the {places[0]} {numbers[0]} there is "
        + ", ".join(f"a {t} {n}" for t, n in zip(things[:5], numbers[6:], strict=False))
        + "."
    )
    return State(
        goal=goal,
        text=text,
        inventory=f"a {things[5]} {numbers[11]}" if rng.random() < 0.5 else "nothing",
        recent=(f"go to {places[0]} {numbers[0]}", f"open {places[1]} {numbers[1]}", "look"),
    )


def episode(rng: np.random.Generator, number: int, goal: str) -> list[Entry]:
    """Return the events of one episode of one step: what it leaves is one whole case and one step case."""
    name = f"bench-{number}"
    seen = state(rng, goal)
    thing, place = _THINGS[int(rng.integers(len(_THINGS)))], _PLACES[int(rng.integers(22))]
    offered = tuple(f"go to {p} 1" for p in _PLACES[:8]) + (f"take {thing} 1", f"open {place} 1")
    won = bool(rng.random() < 0.5)
    start = EpisodeStarted(
        env=ENV,
        family=goal.split()[0],
        split="train",
        task_id=f"{ENV}/train/{number}",
        goal=goal,
        source="own",
    )
    step = Stepped(
        step=0,
        goal=goal,
        text=seen.text,
        inventory=seen.inventory,
        recent=seen.recent,
        action=f"take {thing} 1 from {place} 1",
        offered=offered,
        observation=f"You take the {thing} 1 from the {place} 1.",
        score_before=0.0,
        score_after=float(won),
    )
    end = EpisodeEnded(outcome="success" if won else "failure", score=float(won), steps=1)
    return [
        Entry(f"{name}/start", "bench", name, start),
        Entry(f"{name}/step-0", "bench", name, step, parents=(f"{name}/start",)),
        Entry(f"{name}/end", "bench", name, end, parents=(f"{name}/step-0",)),
    ]
