"""What a skill is called with beyond what it was learned with: values that it may work for, likely ones first.

A value stands for what is called alike: what held for oak planks is expected of birch planks (their last word).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from ...envs.types import Fact
from ...skills.induction.traces import Move
from ...skills.types import Skill

_LIKE = 2.0
"""Tries that what is expected of a value counts for, beside its own."""
_AGAIN = "again"
"""The variant of calls that brought something before."""
_FIRST = 0.2
"""Share of calls that is expected to bring something before any was made."""


@dataclass
class SkillValues:
    """Remembers which values calls brought something new with."""

    counts: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    """(variant of a skill or empty for any, value or " " and its last word or empty for any) -> [good, bad]."""
    others: list[int] = field(default_factory=lambda: [0, 0])
    """The same of single actions."""
    spent: set[tuple[str, str]] = field(default_factory=set)
    """(variant, value) that brought nothing the last time: others come first."""
    won: set[tuple[str, str]] = field(default_factory=set)
    """(variant, value) that brought something: whether they bring more is counted apart."""

    def note(self, which: str, value: str, *, good: bool) -> None:
        """Take what a call came to; `which` is of `variant`."""
        who_of = (_AGAIN,) if (which, value) in self.won else (which, "")
        (self.spent.discard if good else self.spent.add)((which, value))
        if good:
            self.won.add((which, value))
        came = 0 if good else 1
        for who in who_of:
            # what is alike comes out alike: a kind of thing says once of a variant what it is good for
            told = who and self.counts.get((who, _kind(value)), [0, 0])[came]
            for key in {value, _kind(value)} if told else {value, _kind(value), ""}:
                self.counts.setdefault((who, key), [0, 0])[came] += 1

    def propose(
        self, skills: Sequence[Skill], offered: Sequence[str], rng: np.random.Generator
    ) -> Move:
        """Return the call that is most likely to bring something; chance decides among equals.

        Args:
            skills: At least one, each with open parameters.
            offered: Actions, for what else can stand where a known value stands.
            rng: Of chance.
        """
        found = [(skill, given) for skill in skills for given in _given(skill, offered)]
        known = [_named(skill, given) for skill, given in found]
        left = [n for n, one in enumerate(known) if one not in self.spent] or list(
            range(len(found))
        )
        worths = np.array([self._expected(*known[n]) for n in left])
        best = np.flatnonzero(worths >= worths.max())
        return call_of(*found[left[int(best[int(rng.integers(len(best)))])]])

    def _expected(self, which: str, value: str) -> float:
        """Return the share of calls that bring something: by variant and by value, each with what is alike."""
        if (which, value) in self.won:
            return self._rate(_AGAIN, _kind(value), self._rate(_AGAIN, "", _FIRST))
        any_, kind = self._rate(which, "", self._rate("", "", _FIRST)), _kind(value)
        thing = self._rate("", value, self._rate("", kind, any_))
        return self._rate(which, value, (self._rate(which, kind, any_) + thing) / 2)

    def _rate(self, which: str, key: str, expected: float) -> float:
        good, bad = self.counts.get((which, key), [0, 0])
        return (good + _LIKE * expected) / (good + bad + _LIKE)

    @property
    def worth(self) -> float:
        """How many times more calls with values bring something than single actions do."""
        good, bad = self.others
        return self._rate("", "", _FIRST) / ((good + _LIKE * _FIRST) / (good + bad + _LIKE))


def _kind(value: str) -> str:
    return f" {value.rpartition(' ')[2]}"


def open_parameters(skill: Skill) -> dict[str, Fact]:
    """Return the parameters that take any value, where one is a text, with their defaults."""
    found = {
        name: p.default
        for name, p in skill.contract.parameters.items()
        if p.default is not None and p.choices is None and p.max is None
    }
    return found if any(isinstance(value, str) for value in found.values()) else {}


def variant(skill: Skill, move: Move) -> tuple[str, list[str]]:
    """Return the skill with the numbers of a call, and its texts, those that are not the default first."""
    return _variant(skill, dict(zip(move.names, move.values, strict=True)))


def _variant(skill: Skill, given: Mapping[str, Fact]) -> tuple[str, list[str]]:
    known = open_parameters(skill)
    bound = {name: given.get(name, value) for name, value in known.items()}
    numbers = [str(value) for value in bound.values() if not isinstance(value, str)]
    texts = {name: value for name, value in bound.items() if isinstance(value, str)}
    ordered = sorted(texts, key=lambda name: texts[name] == known[name])
    return " ".join([skill.name, *numbers]), [texts[name] for name in ordered]


def _named(skill: Skill, given: Mapping[str, Fact]) -> tuple[str, str]:
    which, values = _variant(skill, given)
    return which, values[0]


def _given(skill: Skill, offered: Sequence[str]) -> list[dict[str, Fact]]:
    """Return arguments: all values of one text with all numbers; one at a time where there are more texts."""
    known = open_parameters(skill)
    texts = [name for name, value in known.items() if isinstance(value, str)]
    numbers = [name for name in known if name not in texts] if len(texts) == 1 else []
    counts = sorted({int(word) for text in offered for word in text.split() if word.isdecimal()})
    return [
        {name: value, **dict(zip(numbers, chosen, strict=True))}
        for name in texts
        for value in values_like(str(known[name]), offered)
        for chosen in product(counts, repeat=len(numbers))
    ]


def call_of(skill: Skill, given: Mapping[str, Fact]) -> Move:
    """Return a call with the defaults of what is not said."""
    bound = {
        name: given.get(name, p.default)
        for name, p in skill.contract.parameters.items()
        if name in given or p.default is not None
    }
    values = tuple(value for value in bound.values() if value is not None)
    return Move(method="skill", skill=skill.id, names=tuple(bound), values=values)


def values_like(known: str, offered: Sequence[str]) -> list[str]:
    """Return what stands in offered actions where a known value stands in one; itself where it stands in none.

    >>> values_like("oak", ("get 9 oak", "get 9 birch", "look"))
    ['birch', 'oak']
    """
    frames = {text[: -len(known)] for text in offered if text.endswith(f" {known}")}
    found = {t.removeprefix(frame) for frame in frames for t in offered if t.startswith(frame)}
    return sorted(found) or [known]
