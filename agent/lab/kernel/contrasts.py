"""Paired statistics: which arms are compared, and the difference of two arms with its interval.

Intervals are those of the do-no-harm gate: bootstrap over tasks (`memory.credit.intervals`).
"""

from collections.abc import Iterable, Mapping, Sequence

from ....envs.types import Record
from ....memory.credit.intervals import Estimate, estimate


class Interval(Record):
    """A mean with its 95% interval."""

    mean: float
    low: float
    high: float


class PairedDifference(Record):
    """A paired difference with its 95% interval."""

    mean: float
    ci95: tuple[float, float]

    @property
    def holds(self) -> bool:
        """Whether the whole interval is above 0."""
        return self.ci95[0] > 0


class Compared(Record):
    """Two arms, a - b; what was compared is in the records that build on this one."""

    a: str
    b: str


def against(base: str, others: Iterable[str]) -> list[tuple[str, str]]:
    """Return the pairs of one arm with every other.

    >>> against("memory", ["none", "memory", "knn"])
    [('memory', 'none'), ('memory', 'knn')]
    """
    return [(base, other) for other in others if other != base]


def tasks_of_both(mine: Mapping[str, object], theirs: Mapping[str, object]) -> list[str]:
    """Return the tasks that two arms have a row for, sorted."""
    return sorted(mine.keys() & theirs.keys())


def difference(mine: Sequence[float], theirs: Sequence[float], *, seed: int) -> Estimate:
    """Return the mean of mine - theirs with its interval.

    Args:
        mine: One value per task, n >= 1.
        theirs: Of the same tasks in the same order.
        seed: Of the resampling.

    >>> difference([1.0, 2.0], [0.0, 1.0], seed=0)
    Estimate(mean=1.0, low=1.0, high=1.0)
    """
    return estimate([float(a - b) for a, b in zip(mine, theirs, strict=True)], seed=seed)


def paired_difference(
    mine: Sequence[float], theirs: Sequence[float], *, seed: int
) -> PairedDifference:
    """Return the same as a record."""
    found = difference(mine, theirs, seed=seed)
    return PairedDifference(mean=found.mean, ci95=(found.low, found.high))


def interval(values: Iterable[float], *, seed: int) -> Interval:
    """Return a mean with its interval as a record."""
    found = estimate(list(values), seed=seed)
    return Interval(mean=found.mean, low=found.low, high=found.high)


def mean(values: Sequence[float]) -> float:
    """Return the mean; 0 of nothing."""
    return float(sum(values) / len(values)) if values else 0.0
