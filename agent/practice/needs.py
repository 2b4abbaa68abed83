"""What a move needed that brought something: what it used up, and what it failed without.

Each need is a fact that a skill of the library brings about, so a new skill can bring what is not at hand.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ...envs.types import Fact
from ...skills.call_graph import depth
from ...skills.conditions import names
from ...skills.induction.traces import effects
from ...skills.types import Skill

HELD = "inventory."
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


def brought_by(skills: Mapping[str, Skill]) -> dict[str, Skill]:
    """Return, for every fact that a skill promises, the skill that stands on the fewest others."""
    found: dict[str, Skill] = {}
    for skill in sorted(skills.values(), key=lambda s: (depth(skills, s.name), s.name)):
        for condition in skill.contract.postconditions:
            for fact in names(condition):
                found.setdefault(fact, skill)
    return found


def context(now: Mapping[str, Fact], sources: Iterable[str]) -> frozenset[str]:
    """Return what there is to work with: what is carried, and what is near that a skill puts there.

    Args:
        now: What holds.
        sources: Facts that skills bring.
    """
    held = {fact for fact, value in now.items() if fact.startswith(HELD) and value}
    return frozenset(held | {f for f in sources if f.startswith("near.") and now.get(f)})


def needs_of(
    before: Mapping[str, Fact],
    after: Mapping[str, Fact],
    failed: Iterable[frozenset[str]],
    skills: Mapping[str, Skill],
) -> list[list[Need]]:
    """Return guesses of what a move needed, fewest first; none where the library cannot bring what it used up.

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
    there = [fact for fact in sorted(context(before, sources)) if fact in sources]
    needed = set(used)
    for missed in sorted(failed, key=sorted):
        if needed <= missed:
            needed |= set([fact for fact in there if fact not in missed][:1])
    guesses: list[list[Need]] = []
    for facts in (set(used), needed, {*used, *there}):
        guess = _ordered(facts, used, sources)
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


def lines_of(needs: Sequence[Need]) -> list[str]:
    """Return the code that brings what is not at hand."""
    return [line for need in needs for line in need.lines]
