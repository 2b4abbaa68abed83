"""When success fell for good: a change-point test, so that what was learned before is not trusted as before."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]

FALL = 6.0
"""Nats by which two rates of success must explain the outcomes better than one. Simulated: of streams of 100
outcomes of an unchanged world at most one in ten is taken for changed; a fall from 0.9 to 0.1 is noticed after
4 outcomes, one from 0.8 to 0.2 after 7, one from 0.6 to 0.1 after 10."""
LEAST = 3
"""Outcomes on each side of a change."""
WINDOW = 100
"""Outcomes that are looked back at."""


def fell_at(outcomes: Sequence[float]) -> int:
    """Return the place of the first outcome after the last fall of success, 0 where it never fell.

    Outcome by outcome, as they came: the generalised likelihood ratio of two rates against one, over the
    outcomes since the last fall (Lai 1995, after Page 1954). A fall that was noticed stays, also when success
    comes back later: it comes back by what was learned since.

    Args:
        outcomes: In the order in which they came, each in [0, 1].

    >>> fell_at([1.0] * 6 + [0.0] * 5)
    6
    >>> fell_at([1.0] * 6 + [0.0] * 5 + [1.0] * 20)
    6
    >>> fell_at([0.0] * 6 + [1.0] * 20)
    0
    """
    begins = 0
    sums = np.concatenate([[0.0], np.cumsum(outcomes)])
    for end in range(2 * LEAST, len(outcomes) + 1):
        first = max(begins, end - WINDOW)
        cuts = np.arange(first + LEAST, end - LEAST + 1)
        if not len(cuts):
            continue
        before, after = sums[cuts] - sums[first], sums[end] - sums[cuts]
        gain = _fit(before, cuts - first) + _fit(after, end - cuts)
        gain -= _fit(sums[end] - sums[first], np.array(end - first))
        gain[before / (cuts - first) <= after / (end - cuts)] = 0.0  # it rose
        best = int(gain.argmax())
        if gain[best] > FALL:
            begins = int(cuts[best])
    return begins


def _fit(won: Floats, n: Floats) -> Floats:
    """Return the log-likelihood of outcomes under their own rate."""
    rate = np.clip(won / n, 1e-3, 1 - 1e-3)
    found: Floats = won * np.log(rate) + (n - won) * np.log(1 - rate)
    return found
