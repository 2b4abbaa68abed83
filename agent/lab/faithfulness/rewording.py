"""A step in other words: rules that keep its numbers and its meaning.

A rule-based rewording never gets the arithmetic wrong, which a small model's paraphrase does. A step that no
rule knows stays as it is, and the caller is told so by its being equal.
"""

import re

import numpy as np

_EQUATION = re.compile(r"(-?\d+) ?([+*/x-]) ?(-?\d+) ?= ?(-?\d+)")
_SAID = {
    "+": ("{a} plus {b} makes {c}", "adding {b} to {a} gives {c}"),
    "-": ("{a} minus {b} makes {c}", "taking {b} away from {a} leaves {c}"),
    "*": ("{a} times {b} makes {c}", "multiplying {a} by {b} gives {c}"),
    "/": ("{a} divided by {b} makes {c}", "dividing {a} by {b} gives {c}"),
}
_SAID["x"] = _SAID["*"]
_WORDS = {
    "so": "therefore",
    "therefore": "so",
    "then": "after that",
    "because": "since",
    "altogether": "in all",
    "in total": "in all",
    "the total number": "the full number",
    "has": "owns",
    "gets": "receives",
    "finds": "discovers",
    "need to": "have to",
    "first": "to begin with",
    "is equal to": "equals",
    "now": "at this point",
}
_KNOWN = re.compile(r"\b(" + "|".join(sorted(_WORDS, key=len, reverse=True)) + r")\b", re.I)


def reworded(step: str, rng: np.random.Generator) -> str:
    """Return the step in other words, with the same numbers; the step itself where no rule knows it.

    Args:
        step: A sentence or an equation.
        rng: Chooses among the ways to say it.

    >>> reworded("3 + 4 = 7.", np.random.default_rng(0))
    'Adding 4 to 3 gives 7.'
    >>> reworded("Blue.", np.random.default_rng(0))
    'Blue.'
    """

    def say(match: re.Match[str]) -> str:
        a, sign, b, c = match.groups()
        ways = _SAID[sign]
        return ways[int(rng.integers(len(ways)))].format(a=a, b=b, c=c)

    def swap(match: re.Match[str]) -> str:
        other = _WORDS[match[0].lower()]
        return other.capitalize() if match[0][0].isupper() else other

    new = _KNOWN.sub(swap, _EQUATION.sub(say, step))
    return new if new == step else new[:1].upper() + new[1:]
