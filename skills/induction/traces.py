"""What induction reads: what was done, where it led, as moves with their effects.

A move is a call of the environment's API or of a skill. Effects are differences of facts, so that what a
piece of a trajectory is good for can be told by program.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ...envs.types import Fact, Record
from ..types import split_id

ACT = "act"
CALL = "call"
_NUMBERED = re.compile(r"([^\W\d_]+) (\d+)")
_NOISE = ("steps", "carried", "x", "y", "asleep", "dark", "facing")
"""Facts that change whatever one does."""


class Move(Record):
    """One call: `api.METHOD(*slots)`, or `api.skill(name, **arguments)`."""

    method: str
    """Name of an API method, or `skill`."""
    skill: str = ""
    """`name@version`, for a skill; the tool, for a call."""
    names: tuple[str, ...] = ()
    """Names of the arguments, for a skill or a call."""
    values: tuple[Fact, ...] = ()
    """The arguments."""

    def parts(self) -> tuple[Fact, ...]:
        """Return what can vary: the words of an action (`apple 1` is one word), the arguments of a call."""
        if self.method == ACT and len(self.values) == 1 and isinstance(self.values[0], str):
            return words_of(self.values[0])
        return self.values

    def kind(self) -> tuple[str, str, int]:
        """Return what two moves must share to be two instances of one."""
        parts = self.parts()
        if self.method == ACT:
            return (ACT, str(parts[0]) if parts else "", len(parts))
        named = self.names if self.method == CALL else ()
        return (self.method, " ".join([split_id(self.skill)[0], *named]), len(parts))


class Trace(Record):
    """A trajectory that reached its goal."""

    env: str
    task_id: str
    seed: int = 0
    goal: str
    setup: tuple[str, ...] = ()
    """Actions before the first move."""
    moves: tuple[Move, ...]
    facts: tuple[Mapping[str, Fact], ...]
    """What held before the first move and after each; one more than moves."""
    actions: tuple[tuple[str, ...], ...] = ()
    """The environment's steps that each move took."""
    offered: tuple[tuple[str, ...], ...] = ()
    """What was accepted before each move, where the environment says so."""

    answers: tuple[str, ...] = ()
    """What was answered to each move, where moves are calls of tools."""

    def before(self, place: int) -> tuple[str, ...]:
        """Return the environment's actions up to a move."""
        return (*self.setup, *(a for some in self.actions[:place] for a in some))


class Effect(NamedTuple):
    """What a piece of a trajectory changed."""

    fact: str
    old: Fact
    new: Fact

    @property
    def gain(self) -> float:
        """How much a number grew; 1 for something that became true, 0 where neither can be said."""
        if isinstance(self.old, bool) or isinstance(self.new, bool):
            return float(bool(self.new) and not self.old)
        if isinstance(self.old, int | float) and isinstance(self.new, int | float):
            return float(self.new - self.old)
        return 0.0


def effects(old: Mapping[str, Fact], new: Mapping[str, Fact]) -> dict[str, Effect]:
    """Return what differs, by fact; a fact that is not named is 0."""
    found = {}
    for fact in sorted({*old, *new}):
        a, b = old.get(fact, 0), new.get(fact, 0)
        if a != b and fact not in _NOISE:
            found[fact] = Effect(fact, a, b)
    return found


def words_of(action: str) -> tuple[str, ...]:
    """Return the words of an action; a word and its number are one.

    >>> words_of("take apple 1 from desk 12")
    ('take', 'apple 1', 'from', 'desk 12')
    """
    joined = _NUMBERED.sub(lambda m: f"{m[1]}\x00{m[2]}", action)
    return tuple(word.replace("\x00", " ") for word in joined.split())


def common_gain(pieces: Sequence[dict[str, Effect]]) -> dict[str, float]:
    """Return the facts that every piece raised, with the least that it raised them by."""
    shared = set.intersection(*(set(p) for p in pieces)) if pieces else set()
    found = {}
    for fact in sorted(shared):
        least = min(p[fact].gain for p in pieces)
        if least > 0:
            found[fact] = least
    return found
