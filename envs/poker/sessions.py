"""An evening of poker: in which order the opponents sit down."""

import random

from .players import OPPONENTS

TRAINING = 240
"""Deals of each opponent in the training fold."""
SEATING = ("ada", "ben", "ada", "cleo", "ben")
"""A-B-A-C-B, as in Continual Learning Bench (arXiv 2606.05661): two of them come back."""


def hands(seed: int, each: int = 24) -> list[str]:
    """Return ids of training tasks in the order A-B-A-C-B: an opponent comes, goes, and comes back.

    Args:
        seed: Which deals; none is there twice.
        each: Hands before the next opponent sits down, at most half of `TRAINING`.
    """
    rng = random.Random(seed)
    deals = {name: rng.sample(range(TRAINING), TRAINING) for name in sorted(OPPONENTS)}
    return [f"poker/{name}/train/{deals[name].pop()}" for name in SEATING for _ in range(each)]
