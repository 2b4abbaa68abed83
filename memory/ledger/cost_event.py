"""The event of what one request cost."""

from typing import Literal

from ...envs.types import Record
from .records import Count


class CostNoted(Record):
    """What a request cost since it was begun or went on last; noted when it is over, or waits.

    A request that went on has several: what it cost is their sum.
    """

    version: Literal[1] = 1
    type: Literal["cost_noted"] = "cost_noted"
    tokens_in: Count = 0
    cached: Count = 0
    """Of `tokens_in`, those that a server read from its cache."""
    tokens_out: Count = 0
    dollars: float = 0.0
    seconds: float = 0.0
    steps: Count = 0

    def plus(self, other: "CostNoted") -> "CostNoted":
        """Return what both cost."""
        names = ("tokens_in", "cached", "tokens_out", "dollars", "seconds", "steps")
        return CostNoted(**{name: getattr(self, name) + getattr(other, name) for name in names})
