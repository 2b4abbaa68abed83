"""Means and paired differences with bootstrap intervals over tasks."""

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000


class Estimate(NamedTuple):
    """A mean with its 95% interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        """Return `mean [low, high]` with two digits."""
        return f"{self.mean:.2f} [{self.low:.2f}, {self.high:.2f}]"


def estimate_by_group(
    values: Sequence[float], groups: Sequence[Hashable], *, seed: int
) -> Estimate:
    """Return the mean of the groups' means, every group weighing the same, with its interval over groups.

    Values of one group, such as the decisions of one task, are not independent.

    Args:
        values: Length n >= 1.
        groups: The group of each value.
        seed: Of the resampling.

    >>> estimate_by_group([1.0, 0.0, 0.5], ["a", "a", "b"], seed=0)
    Estimate(mean=0.5, low=0.5, high=0.5)
    """
    held: dict[Hashable, list[float]] = {}
    for value, group in zip(values, groups, strict=True):
        held.setdefault(group, []).append(value)
    return estimate([float(np.mean(part)) for part in held.values()], seed=seed)


def estimate(values: Sequence[float], *, seed: int) -> Estimate:
    """Return the mean of one value per task with its percentile bootstrap interval (Efron 1979).

    Args:
        values: One per task, length n >= 1; for a paired difference, the differences.
        seed: Of the resampling.

    >>> estimate([1.0, 1.0, 1.0], seed=0)
    Estimate(mean=1.0, low=1.0, high=1.0)
    """
    from scipy.stats import bootstrap

    data: NDArray[np.float64] = np.asarray(values, np.float64)
    mean = float(data.mean())
    if np.ptp(data) == 0:
        return Estimate(mean, mean, mean)
    found = bootstrap(
        (data,),
        np.mean,
        n_resamples=RESAMPLES,
        batch=1000,  # keeps the matrix of resamples small
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Estimate(mean, float(found.low), float(found.high))
