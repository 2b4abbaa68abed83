"""What asking may cost: of one request, and of a day (UTC)."""

import time

from pydantic import Field

from ...envs.types import Record
from ...memory.ledger.cost_event import CostNoted
from ...memory.ledger.ledger import Ledger

_DAY = 86_400


class Budget(Record):
    """Limits; None: no limit. Nothing to measure."""

    tokens: int | None = Field(default=None, ge=1)
    """Read and written. Nothing to measure."""
    dollars: float | None = Field(default=None, gt=0)
    """By `prices` in the settings; nothing is spent by a model without a price. Nothing to
    measure."""
    seconds: float | None = Field(default=None, gt=0)
    """By the clock, from the request to its answer. Nothing to measure."""
    steps: int | None = Field(default=None, ge=1)
    """Calls of tools, and the answer. Nothing to measure."""

    def less(self, spent: CostNoted) -> "Budget":
        """Return what is left; what is used up is left with nothing or less."""
        return self._moved(spent, -1)

    def more(self, spent: CostNoted) -> "Budget":
        """Return what it is with this too, where it is a limit."""
        return self._moved(spent, 1)

    def _moved(self, spent: CostNoted, sign: int) -> "Budget":
        by = {
            "tokens": spent.tokens_in + spent.tokens_out,
            "dollars": spent.dollars,
            "seconds": spent.seconds,
            "steps": spent.steps,
        }
        held = {name: getattr(self, name) for name in by}
        return Budget.model_construct(
            **{n: None if held[n] is None else held[n] + sign * by[n] for n in by}
        )

    def within(self, other: "Budget") -> "Budget":
        """Return the tighter of two budgets, limit by limit."""
        found = {}
        for name in ("tokens", "dollars", "seconds", "steps"):
            held = [x for x in (getattr(self, name), getattr(other, name)) if x is not None]
            found[name] = min(held, default=None)
        return Budget.model_construct(**found)

    @property
    def used_up(self) -> str:
        """The first limit of which nothing is left; empty where there is none."""
        for name in ("tokens", "dollars", "seconds", "steps"):
            left = getattr(self, name)
            if left is not None and left <= 0:
                return name
        return ""


class AskBudget(Record):
    """What requests may cost."""

    ask: Budget = Field(default_factory=Budget)
    """Of one request."""
    day: Budget = Field(default_factory=Budget)
    """Of all requests of a day (UTC), of every process that writes to the store."""

    @property
    def daily(self) -> bool:
        """Whether a day has a limit."""
        return self.day != Budget()


def spent_on(ledger: Ledger, episode: str) -> CostNoted:
    """Return what a request cost so far, all the times that it went on."""
    spent = CostNoted()
    for row in ledger.read(episode=episode):
        if isinstance(row.event, CostNoted):
            spent = spent.plus(row.event)
    return spent


class DaySpent:
    """Adds up what was spent today; read from the ledger once a day.

    Args:
        ledger: Of the store.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._day = -1
        self._sum = CostNoted()

    def add(self, spent: CostNoted) -> None:
        """Count what was spent just now, and is in the ledger too."""
        if self._day == int(time.time() // _DAY):
            self._sum = self._sum.plus(spent)

    def today(self) -> CostNoted:
        """Return what was spent today."""
        day = int(time.time() // _DAY)
        if day != self._day:
            self._day, self._sum = day, CostNoted()
            for row in self._ledger.read(since=float(day * _DAY)):
                if isinstance(row.event, CostNoted):
                    self._sum = self._sum.plus(row.event)
        return self._sum
