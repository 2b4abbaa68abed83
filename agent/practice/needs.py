"""What a move needed that brought something: what it used up, and what it failed without.

Each need is a fact that a skill of the library brings about, so a new skill can bring what is not at hand.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ...envs.types import Fact
from ...skills.call_graph import depth
from ...skills.conditions import names
from ...skills.induction.traces import effects
from ...skills.types import Skill

HELD, FACED = "inventory.", "facing"
_USED = re.compile(rf"get\('({re.escape(HELD)}\w+)', 0\) < (\d+):\s+api\.skill\([^)]*count=")


class Need(NamedTuple):
    """A fact that has to hold before."""

    fact: str
    number: int
    """Least value."""
    used: bool
    """Whether it is used up."""
    skill: Skill
    """Brings it about."""

    @property
    def lines(self) -> tuple[str, str]:
        """The code that brings it, where it is not at hand."""
        count = f", count={self.number}" if self.used else ""
        return (
            f"if api.facts().get({self.fact!r}, 0) < {self.number}:",
            f"    api.skill({self.skill.id!r}{count})",
        )


class Needed(NamedTuple):
    """What a move needed."""

    faced: bool
    """Whether what was faced counted."""
    brought: list[Need]
    """In the order in which it is brought."""

    @property
    def lines(self) -> list[str]:
        """The code that brings what is not at hand."""
        return [line for need in self.brought for line in need.lines]


def brought_by(skills: Mapping[str, Skill]) -> dict[str, Skill]:
    """Return, for all that can be carried or worked at, the skill that brings it and stands on the fewest."""
    found: dict[str, Skill] = {}
    for skill in sorted(skills.values(), key=lambda s: (depth(skills, s.name), s.name)):
        for condition in skill.contract.postconditions:
            for fact in names(condition):
                if fact.startswith((HELD, "near.")):
                    found.setdefault(fact, skill)
    return found


def context(now: Mapping[str, Fact], sources: Iterable[str]) -> frozenset[str]:
    """Return what there is to work with: what is faced, what is carried, what is near that a skill puts there.

    Args:
        now: What holds.
        sources: Facts that skills bring.
    """
    held = {fact for fact, value in now.items() if fact.startswith(HELD) and value}
    held |= {fact for fact in sources if fact.startswith("near.") and now.get(fact)}
    return frozenset(held | _faced(now))


def _faced(now: Mapping[str, Fact]) -> set[str]:
    return {f"{FACED} {now[FACED]}"} if FACED in now else set()


def needs_of(
    before: Mapping[str, Fact],
    after: Mapping[str, Fact],
    failed: Iterable[frozenset[str]],
    skills: Mapping[str, Skill],
) -> list[Needed]:
    """Return guesses of what a move needed, fewest first; none where the library cannot bring what it used up.

    First what it used up; then, for every context in which it failed, something that was not there then (what
    failed for one reason only is looked at first); then all that there was.

    Args:
        before: What held before the move.
        after: What held after it.
        failed: Contexts in which the same move brought nothing.
        skills: The library.
    """
    sources = brought_by(skills)
    used = {
        fact: int(-effect.gain)
        for fact, effect in effects(before, after).items()
        if fact.startswith(HELD) and effect.gain < 0
    }
    if not used.keys() <= sources.keys():
        return []
    faced, here = _faced(before), sorted(context(before, sources) & sources.keys() - used.keys())
    held = [fact for fact in here if fact.startswith(HELD)]
    there = [*(fact for fact in here if fact not in held), *faced, *held]
    needed = set(used)
    lacked = [
        [fact for fact in there if fact not in missed] for missed in failed if used.keys() <= missed
    ]
    for lack in sorted(lacked, key=len):
        if lack and not needed & set(lack):
            needed.add(lack[0])
    guesses: list[Needed] = []
    plain = set(used) | (needed & faced)
    for facts in (plain, plain | faced, needed, needed | faced, needed | set(there)):
        guess = Needed(bool(facts & faced), _ordered(facts - faced, used, sources))
        if guess not in guesses:
            guesses.append(guess)
    return guesses


def _ordered(facts: set[str], used: Mapping[str, int], sources: Mapping[str, Skill]) -> list[Need]:
    """Return tools first, then what is used up here or by what is put near, then what is put near."""
    near = [fact for fact in sorted(facts) if not fact.startswith(HELD)]
    spent = dict(used)
    for fact in near:
        for thing, number in _USED.findall(sources[fact].code):
            spent[thing] = spent.get(thing, 0) + int(number)
    tools = [fact for fact in sorted(facts) if fact.startswith(HELD) and fact not in spent]
    return [
        *(Need(fact, 1, False, sources[fact]) for fact in tools),
        *(Need(fact, number, True, sources[fact]) for fact, number in sorted(spent.items())),
        *(Need(fact, 1, False, sources[fact]) for fact in near),
    ]
