"""The event of what one request cost."""

from typing import Literal

from ...envs.types import Record
from .records import Count


class CostNoted(Record):
    """What a request cost, once it is over or waits for a person."""

    version: Literal[1] = 1
    type: Literal["cost_noted"] = "cost_noted"
    tokens_in: Count = 0
    cached: Count = 0
    """Of `tokens_in`, those that a server read from its cache."""
    tokens_out: Count = 0
    dollars: float = 0.0
    seconds: float = 0.0
    steps: Count = 0
