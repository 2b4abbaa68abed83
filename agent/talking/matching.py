"""From what a model says to one of the actions that can be taken: exact, contained in it, or the nearest."""

import difflib
import re
from collections.abc import Sequence
from typing import NamedTuple

from ...memory.likeness.words import bounded, folded

FLOOR = 0.8
"""Likeness (difflib's ratio) below which words are none of the actions."""
_LEAD = re.compile(r"^(?:[>*\-\s]*(?:next\s+)?action\s*:|[>*\-\s]+|\d+[.)]\s)+", re.IGNORECASE)
_NUMBER = re.compile(r"(?:number\W*)?(\d+)[.)]?")


_ENDS = "`'\"*“”„«»「」『』.!。！،؟ "
"""What a line may begin and end with beside the action."""


class Match(NamedTuple):
    """An action that was meant."""

    action: str
    """Empty: none of them."""
    how: str = ""
    """`exact`, `number`, `contained`, or `nearest 0.87`."""


NONE = Match("")


def matched(said: str, actions: Sequence[str], *, listed: Sequence[str] = ()) -> Match:
    """Return the action that a model's words mean.

    Args:
        said: Free text; the last line that is an action counts, for thoughts come before it.
        actions: What can be done.
        listed: Those that were numbered in front of it, in order: then a number alone is an answer.

    >>> matched("I need light.\\nAction: Go North!", ["go north", "go south"])
    Match(action='go north', how='exact')
    >>> matched("go to nroth", ["go to north", "take lamp"]).how
    'nearest 0.91'
    """
    bare = {_bare(action): action for action in actions}
    lines = [line for line in (_bare(line) for line in reversed(said.splitlines())) if line]
    for line in lines:
        if line in bare:
            return Match(bare[line], "exact")
        number = _NUMBER.fullmatch(line)
        if number and 1 <= int(number[1]) <= len(listed):
            return Match(listed[int(number[1]) - 1], "number")
    for line in lines:
        inside = [
            words for words in bare if words and re.search(bounded(re.escape(words), words), line)
        ]
        longest = max(inside, key=len, default="")
        if longest and all(words in longest for words in inside):  # of two actions neither is meant
            return Match(bare[longest], "contained")
    for line in lines:
        near = difflib.get_close_matches(line, list(bare), n=1, cutoff=FLOOR)
        if near:
            ratio = difflib.SequenceMatcher(None, near[0], line).ratio()
            return Match(bare[near[0]], f"nearest {ratio:.2f}")
    return NONE


def nearest(said: str, actions: Sequence[str], count: int) -> list[str]:
    """Return the actions that are most like some words, however unlike they are, best first."""
    bare = {_bare(action): action for action in actions}
    found = difflib.get_close_matches(_bare(said), list(bare), n=count, cutoff=0.0)
    return [bare[words] for words in found]


def spoken(said: str) -> str:
    """Return the last line of what a model said, without what leads to an action.

    >>> spoken("I need wood.\\nAction: get 2 oak log")
    'get 2 oak log'
    """
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return _LEAD.sub("", lines[-1].strip("`*")).strip("`'\"*“”„«»「」『』 ") if lines else ""


def _bare(text: str) -> str:
    """Return a line without case, quotes, marks at its ends and what leads to an action."""
    line = _LEAD.sub("", folded(" ".join(text.split()).strip(_ENDS)))
    return line.strip(_ENDS)
