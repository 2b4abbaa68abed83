"""Which things are the goals of which fold, and what an open book shows for a goal; no play is known here."""

import hashlib
from functools import lru_cache
from itertools import product

import numpy as np

from .book import Book, Recipe, open_book
from .plan import craft_command, plan

OPEN = "open"
STEPS = 40
"""Upstream's limit for one goal."""
WORLDS = 10
"""Worlds of `open` in each fold."""
_CARRIED = 4
"""Kinds of basic things that are carried at the start of all of those but the first."""
_DISTRACTORS = 10
"""Recipes in an open book that the goal does not need, as upstream has it."""
_UNTIL = {"train": 0.6, "dev": 0.8, "test": 1.0}
"""Where each fold's share of the things of a depth ends."""


@lru_cache(maxsize=64)
def goals(family: str, split: str) -> tuple[str, ...]:
    """Return the things to craft, in the order of their numbers: by a hash of the name."""
    if family == OPEN:
        return ("",) * WORLDS
    depth = int(family.removeprefix("depth"))
    things = [
        thing
        for thing, found in open_book().depths.items()
        if found == depth and len(plan(thing)) <= STEPS
    ]
    things.sort(key=_digest)
    start = {"train": 0.0, "dev": _UNTIL["train"], "test": _UNTIL["dev"]}[split]
    return tuple(things[round(start * len(things)) : round(_UNTIL[split] * len(things))])


def pantry(task_id: str) -> dict[str, int]:
    """Return what is carried at the start of a world: nothing, but in the later worlds of `open`.

    So that what was learned in one of them can be tested where something else is at hand.
    """
    family, _, number = task_id.split("/")[1:]
    if family != OPEN or number == "0":
        return {}
    rng = np.random.default_rng(int(_digest(task_id)[:16], 16))
    basics = open_book().basics
    picked = rng.choice(len(basics), _CARRIED, replace=False)
    return {basics[int(i)]: int(rng.integers(1, 10)) for i in sorted(picked)}


@lru_cache(maxsize=64)
def listing(task_id: str, goal: str) -> tuple[Recipe, ...]:
    """Return what an open book shows: all that the goal may need and ten more, shuffled; all for `open`."""
    book = open_book()
    if not goal:
        return tuple(recipe for recipes in book.recipes.values() for recipe in recipes)
    needed = _below(book, goal)
    taken = {m for recipe in needed for part in recipe.ingredients for m in part.members}
    others = [
        recipe
        for recipes in book.recipes.values()
        for recipe in recipes
        if recipe not in needed
        and any(m in taken for part in recipe.ingredients for m in part.members)
    ]
    rng = np.random.default_rng(int(_digest(task_id)[:16], 16))
    picked = rng.permutation(len(others))[:_DISTRACTORS]
    shown = [*needed, *(others[int(i)] for i in picked)]
    return tuple(shown[int(i)] for i in rng.permutation(len(shown)))


def _below(book: Book, goal: str) -> list[Recipe]:
    """Return the recipes of a thing and of all that may go into it."""
    found: dict[str, None] = {goal: None}
    recipes: list[Recipe] = []
    queue = [goal]
    while queue:
        for recipe in book.recipes.get(queue.pop(), ()):
            recipes.append(recipe)
            new = [m for part in recipe.ingredients for m in part.members if m not in found]
            found.update(dict.fromkeys(new))
            queue += list(dict.fromkeys(new))
    return recipes


@lru_cache(maxsize=64)
def actions(recipes: tuple[Recipe, ...]) -> tuple[str, ...]:
    """Return the actions that an open book allows: its recipes, groups written out, and what they take."""
    basics, found = frozenset(open_book().basics), {"inventory"}
    for recipe in recipes:
        for chosen in product(*(part.members for part in recipe.ingredients)):
            counted = zip(chosen, (part.count for part in recipe.ingredients), strict=True)
            using = tuple(counted)
            found.add(craft_command(recipe, using))
            found.update(f"get {count} {name}" for name, count in using if name in basics)
    return tuple(sorted(found))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
