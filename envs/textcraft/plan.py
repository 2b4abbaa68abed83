"""How a thing is made from basics with few actions: backward chaining over the true recipes."""

from collections import Counter
from functools import lru_cache

from .book import Book, Recipe, open_book


def plan(goal: str) -> tuple[str, ...]:
    """Return actions that make one of a craftable thing from nothing.

    Each `get` takes what one craft uses, so that every action is among those that an open book lists.
    """
    actions: list[str] = []
    held: Counter[str] = Counter()

    def need(item: str, count: int) -> None:
        while held[item] < count:
            if item not in open_book().recipes:
                lacking = count - held[item]
                actions.append(f"get {lacking} {item}")
                held[item] += lacking
                return
            recipe, using = _ways()[item]
            while any(held[name] < number for name, number in using):
                for name, number in using:  # one ingredient may eat up what another one left
                    need(name, number)
            held.subtract(dict(using))
            held[item] += recipe.count
            actions.append(craft_command(recipe, using))

    need(goal, 1)
    return tuple(actions)


def craft_command(recipe: Recipe, using: tuple[tuple[str, int], ...]) -> str:
    """Return the action that crafts a recipe once.

    Args:
        recipe: What to craft.
        using: The things that are used, by name and count, one for each ingredient.
    """
    listed = ", ".join(f"{count} {name}" for name, count in using)
    return f"craft {recipe.count} {recipe.item} using {listed}"


@lru_cache(maxsize=1)
def _ways() -> dict[str, tuple[Recipe, tuple[tuple[str, int], ...]]]:
    """Return the way of making each thing that takes the fewest actions, its groups replaced by members."""
    book = open_book()
    costs = dict.fromkeys(book.basics, 1)
    ways: dict[str, tuple[Recipe, tuple[tuple[str, int], ...]]] = {}
    better = True
    while better:
        better = False
        for item, recipes in book.recipes.items():
            for recipe in recipes:
                chosen = _chosen(book, recipe, costs)
                if chosen is None:
                    continue
                cost = 1 + sum(
                    costs[name] * (_batches(book, name, count, ways)) for name, count in chosen
                )
                if cost < costs.get(item, cost + 1):
                    costs[item], ways[item], better = cost, (recipe, chosen), True
    return ways


def _chosen(
    book: Book, recipe: Recipe, costs: dict[str, int]
) -> tuple[tuple[str, int], ...] | None:
    chosen = []
    for part in recipe.ingredients:
        known = [name for name in part.members if name in costs]
        if not known:
            return None
        chosen.append((min(known, key=lambda name: (costs[name], name)), part.count))
    return tuple(chosen)


def _batches(
    book: Book,
    name: str,
    count: int,
    ways: dict[str, tuple[Recipe, tuple[tuple[str, int], ...]]],
) -> int:
    return 1 if name not in ways else -(-count // ways[name][0].count)
