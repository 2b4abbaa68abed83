"""Entity abstraction: the words that a task names, mapped from one task to another.

A case was lived under its own goal ("take the coin in the pantry"); to use it under another goal ("take
the coin in the steam room") the words in which the two goals differ are exchanged, in the case's
observations and in its action. Pure text; knows nothing of storage or scores.
"""

import difflib
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from .words import SMALL, dense, unspaced, words

FILLER = frozenset(
    [
        "a",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "be",
        "by",
        "can",
        "find",
        "for",
        "from",
        "given",
        "goal",
        "has",
        "have",
        "in",
        "into",
        "is",
        "it",
        "its",
        "make",
        "may",
        "must",
        "next",
        "of",
        "on",
        "one",
        "or",
        "put",
        "right",
        "see",
        "some",
        "sure",
        "take",
        "task",
        "that",
        "the",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "to",
        "two",
        "under",
        "use",
        "with",
        "you",
        "your",
        "first",
        "located",
        "found",
        "provided",
        "helpful",
        "examine",
        "look",
        "clean",
        "hot",
        "cool",
        "cold",
        "warm",
        "heat",
        "cut",
        "must",
        "when",
        "once",
        "focus",
        "move",
        "which",
        "will",
        "than",
        "all",
        *SMALL,
    ]
)
"""Words of task templates: they say what kind of task it is, so they are never entities."""


@lru_cache(maxsize=4096)
def entities(goal: str) -> frozenset[str]:
    """Return the words of a goal that name its entities.

    >>> sorted(entities("Your task is to: put a clean mug in cabinet."))
    ['cabinet', 'mug']
    """
    return frozenset(w for w in words(goal) if names_something(w))


def names_something(word: str) -> bool:
    """Return whether a word may name something: it is no filler, and not short where words are spelled."""
    return word not in FILLER and (len(word) > 2 or dense(word))


class Analogy(NamedTuple):
    """How the entities of one goal are called in another."""

    table: dict[str, tuple[str, ...]]
    """Word of the old goal -> its words in the new one (none when an earlier word carries them)."""

    def words(self, text: str) -> list[str]:
        """Return the words of `text` with the entities exchanged."""
        if not self.table:
            return words(text)
        out: list[str] = []
        for word in words(text):
            out.extend(self.table.get(word, (word,)))
        return out


_LONGEST = 3
"""Words of the longest name."""


def _size(name: Sequence[str]) -> float:
    """Return how long a name is in words; three characters of a script without spaces make one."""
    return sum(1 / 3 if len(word) == 1 and unspaced(word) else 1 for word in name)


SAME = Analogy({})
"""The analogy of a task with itself."""


@lru_cache(maxsize=65536)
def analogy(old_goal: str, new_goal: str) -> Analogy:
    """Align two goals word by word and return the exchange of the entities in which they differ.

    >>> a = analogy("take the coin in the pantry, put it in the box", "take the coin in the steam room, "
    ...             "put it in the box")
    >>> " ".join(a.words("You are in the pantry."))
    'you are in the steam room'
    """
    table: dict[str, tuple[str, ...]] = {}
    if old_goal == new_goal:
        return Analogy(table)
    old, new = words(old_goal), words(new_goal)
    shared = set(new)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for kind, i, j, m, n in matcher.get_opcodes():
        if kind != "replace":
            continue
        left = [w for w in old[i:j] if w not in FILLER]
        right = tuple(w for w in new[m:n] if w not in FILLER)
        if not left or not right or max(_size(left), _size(right)) > _LONGEST:
            continue
        if any(w in shared for w in left):  # a word that keeps its own meaning in the new goal
            continue
        table.setdefault(left[0], right)
        for word in left[1:]:
            table.setdefault(word, ())
    return Analogy(table)
