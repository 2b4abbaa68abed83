"""Crafter's score, and the four tiers of its tech tree."""

import math
from collections.abc import Mapping

from ..errors import UnknownName
from .words import ACHIEVEMENTS

TIERS = {
    "wood": ("make_wood_pickaxe", "make_wood_sword"),
    "stone": ("make_stone_pickaxe", "make_stone_sword"),
    "iron": ("make_iron_pickaxe", "make_iron_sword"),
    "diamond": ("collect_diamond",),
}
"""Tier -> the achievements of which the first one reaches it (after VOYAGER's tiers, Wang et al. 2023)."""


def crafter_score(rates: Mapping[str, float]) -> float:
    """Return Crafter's score: the geometric mean of the success rates, rare achievements weighing most.

    `exp(mean(ln(1 + s_i))) - 1` with `s_i` in percent, over all 22 achievements (Hafner 2021, "Benchmarking
    the Spectrum of Agent Capabilities", section 3.3).

    Args:
        rates: Achievement -> share of the episodes in which it was unlocked, in [0, 1]; missing ones are 0.

    Returns:
        In [0, 100].

    Raises:
        UnknownName: A name is no achievement.

    >>> round(crafter_score(dict.fromkeys(ACHIEVEMENTS, 1.0)), 6)
    100.0
    """
    for name in rates:
        if name not in ACHIEVEMENTS:
            raise UnknownName("achievement", name, ACHIEVEMENTS)
    logs = [math.log1p(100.0 * rates.get(name, 0.0)) for name in ACHIEVEMENTS]
    return math.expm1(sum(logs) / len(logs))
