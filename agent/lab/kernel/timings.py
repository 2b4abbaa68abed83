"""Times of repeated work: the median and the 95th percentile."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Percentiles(NamedTuple):
    """Of one sequence of times, in its unit."""

    p50: float
    p95: float


def percentiles(
    times: Sequence[float] | NDArray[np.float64], *, digits: int | None = None
) -> Percentiles:
    """Return median and 95th percentile, by linear interpolation.

    Args:
        times: n >= 1.
        digits: Rounded to so many; None: not at all.

    >>> percentiles([1.0, 2.0, 4.0])
    Percentiles(p50=2.0, p95=3.8)
    """
    found = [float(np.percentile(np.asarray(times, np.float64), share)) for share in (50, 95)]
    return Percentiles(*(found if digits is None else [round(x, digits) for x in found]))
