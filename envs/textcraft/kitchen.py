"""The rules of TextCraft: what is carried, what an action does, and what it answers."""

import re
from collections import Counter
from dataclasses import dataclass, field

from .book import Book, Recipe

_GET = re.compile(r"get ([0-9]{1,6}) (.+)")
_CRAFT = re.compile(r"craft (?:([0-9]{1,6}) )?(.+?) using (.+)")
_COMBINE = re.compile(r"combine (.+)")
_COUNTED = re.compile(r"([0-9]{1,6}) (.+)")
Using = dict[str, int]
"""Things and how many of each."""


class Refused(Exception):
    """An action that cannot be taken; the text says why. It never leaves this folder."""


@dataclass
class Kitchen:
    """The player's state, and the three verbs.

    Messages are upstream's where it has one. Two of ours help a learner and tell no recipe: which named thing
    is short, and which named ingredient belongs into the recipe in another number (upstream prints the latter).
    """

    book: Book
    held: Counter[str] = field(default_factory=Counter)
    crafted: list[str] = field(default_factory=list)
    """What was crafted so far, each once, in order."""

    def act(self, action: str) -> str:
        """Take an action and return the answer.

        Raises:
            Refused: It changed nothing, and why.
        """
        text = " ".join(action.replace("_", " ").split())
        if text == "inventory":
            return f"Inventory: {self.carried()}"
        if match := _GET.fullmatch(text):
            return self._get(match[2], int(match[1]))
        if match := _CRAFT.fullmatch(text):
            return self._craft(match[2], _using(match[3]))
        if match := _COMBINE.fullmatch(text):
            return self._combine(_using(match[1]))
        raise Refused(
            f"Could not execute {action!r}. Actions are: get N THING; craft N THING using N THING, N THING; "
            "combine N THING, N THING; inventory"
        )

    def carried(self) -> str:
        """Return what is carried, as upstream writes it."""
        listed = " ".join(f"[{name}] ({count})" for name, count in self.held.items())
        return listed or "You are not carrying anything."

    def _get(self, thing: str, count: int) -> str:
        if thing not in self.book.basics or count < 1:
            raise Refused(f"Could not find {thing}")
        self.held[thing] += count
        return f"Got {count} {thing}"

    def _craft(self, thing: str, using: Using) -> str:
        self._demand(using, thing)
        recipes = self.book.recipes.get(thing, ())
        for recipe in recipes:
            if matches(recipe, using):
                return self._make(recipe, using)
        wrong = sorted(
            name
            for name in using
            if any(name in part.members for recipe in recipes for part in recipe.ingredients)
        )
        hint = f". Wrong item count for: {', '.join(wrong)}" if wrong else ""
        raise Refused(f"Could not find a valid recipe for {thing}{hint}")

    def _combine(self, using: Using) -> str:
        self._demand(using, "anything")
        found = sorted(
            (
                recipe
                for recipes in self.book.recipes.values()
                for recipe in recipes
                if matches(recipe, using)
            ),
            key=lambda recipe: (recipe.item in self.crafted, recipe.item),
        )
        if not found:
            raise Refused("Nothing is made of these together")
        return self._make(found[0], using)

    def _demand(self, using: Using, thing: str) -> None:
        short = [
            f"{self.held[name]} of {count} {name}"
            for name, count in using.items()
            if self.held[name] < count
        ]
        if short:
            raise Refused(
                f"Could not find enough items to craft {thing}: you have {', '.join(short)}"
            )

    def _make(self, recipe: Recipe, using: Using) -> str:
        self.held.subtract(using)
        self.held += Counter({recipe.item: recipe.count})  # drops what is used up
        if recipe.item not in self.crafted:
            self.crafted.append(recipe.item)
        return f"Crafted {recipe.count} {recipe.item}"


def matches(recipe: Recipe, using: Using) -> bool:
    """Return whether things are exactly what a recipe takes: the kinds and the numbers."""
    if len(using) != len(recipe.ingredients):
        return False
    left = dict(using)
    for part in sorted(recipe.ingredients, key=lambda part: len(part.members)):
        fits = next((m for m in part.members if left.get(m) == part.count), None)
        if fits is None:
            return False
        del left[fits]
    return True


def _using(text: str) -> Using:
    found: Using = {}
    for part in text.split(","):
        match = _COUNTED.fullmatch(part.strip())
        if match is None or int(match[1]) < 1:
            raise Refused(f"Wrong item format: {part.strip()}")
        found[match[2]] = found.get(match[2], 0) + int(match[1])
    return found
