"""A stream in which the house rules change in the middle, and nobody says so."""

import random
from itertools import chain

from .rules import RULES
from .tickets import tickets


def drifting(seed: int, each: int = 30) -> list[str]:
    """Return ids of training tasks: the first half under the first house rules, the rest under the second.

    Tickets go round the families, so that the old and the new rules are met evenly.

    Args:
        seed: Which tickets, in which order.
        each: Tickets of a half; of the 60 there are. Up to 30 no ticket is there twice, at 60 each is, once
            under either rules.

    >>> [task.count("/second") for task in drifting(0, each=1)]
    [0, 1]
    """
    rng = random.Random(seed)
    held = []
    for family in sorted(RULES):
        ids = [t.id for t in tickets().values() if (t.family, t.split) == (family, "train")]
        held.append(rng.sample(ids, len(ids)))
    order = list(chain.from_iterable(zip(*held, strict=True)))
    return [*order[:each], *(f"{task}/second" for task in order[len(order) - each :])]
