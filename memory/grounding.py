"""Grounding: what an action is about, in terms of the task, so that it transfers to other tasks.

`move north` means nothing in another house; `move` towards the place that the task names does. An action
is described by its verb and the task's entities that it mentions, or that stand beside its arguments in
what is seen ("To the North you see the pantry"); where there are none, by its own words without numbers.
"""

import re
from functools import lru_cache

from .analogy import FILLER, entities, words

_CLAUSE = re.compile(r"[.,;:!?\n]")


@lru_cache(maxsize=2048)
def _clauses(text: str) -> tuple[frozenset[str], ...]:
    parts = (frozenset(words(part)) for part in _CLAUSE.split(text))
    return tuple(part for part in parts if part)


@lru_cache(maxsize=65536)
def ground(action: str, text: str, goal: str) -> str:
    """Return what the action is about: a short string of words, comparable across tasks.

    Args:
        action: In the environment's words.
        text: What is seen.
        goal: The task in words.

    >>> goal = "take the coin in the side yard, put it in the box"
    >>> ground("move north", "You are outside. To the North you see the side yard.", goal)
    'move > side yard'
    >>> ground("go to cabinet 4", "You are in a room.", goal)
    'go to cabinet'
    """
    own = [word for word in words(action) if not word.isdigit()]
    if not own:
        return action.strip().lower()
    named = entities(goal)
    arguments = {word for word in own[1:] if word not in FILLER}
    about = arguments & named
    if arguments:
        for clause in _clauses(text):
            if arguments & clause:
                about |= clause & named
    if not about:
        return " ".join(own)
    return f"{own[0]} > {' '.join(sorted(about))}"


def likeness(left: frozenset[str], right: frozenset[str]) -> float:
    """Return the Jaccard likeness of two grounded actions' words, in [0, 1].

    >>> likeness(frozenset({"take", "coin"}), frozenset({"take", "coin"}))
    1.0
    """
    return len(left & right) / len(left | right) if left or right else 0.0
