"""When success fell for good: a change-point test, so that what was learned before is not trusted as before."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]
FALL = 3.0
"""Nats, beside the logarithm of how many outcomes there were, by which two rates of success must explain the
outcomes better than one. Simulated: of streams of 100 outcomes of an unchanged world 6 to 9% are taken for
changed, of 1,000 about 17%; a fall from 0.9 to 0.1 is noticed after 5 outcomes, from 0.8 to 0.2 after 11."""
LEAST = 3
"""Outcomes on each side of a change."""
WINDOW = 100
"""Outcomes that are looked back at."""


class Falls:
    """Watches outcomes, one after another, for a fall.

    The generalised likelihood ratio of two rates against one, over the outcomes since the last fall (Lai 1995,
    after Page 1954). A fall that was noticed stays, also when success comes back later: it comes back by what
    was learned since.

    >>> falls = Falls()
    >>> for outcome in [1.0] * 6 + [0.0] * 5 + [1.0] * 20:
    ...     falls.observe(outcome)
    >>> falls.last
    6
    """

    def __init__(self) -> None:
        self.last = 0
        """The place of the first outcome after the last fall, 0 where there was none."""
        self._sums = [0.0]

    def observe(self, outcome: float) -> None:
        """Take the next outcome, in [0, 1]."""
        self._sums.append(self._sums[-1] + outcome)
        end = len(self._sums) - 1
        first = max(self.last, end - WINDOW)
        if end - first < 2 * LEAST:
            return
        sums = np.array(self._sums[first:])
        n = end - first
        cuts = np.arange(LEAST, n - LEAST + 1)
        before, after = sums[cuts] - sums[0], sums[n] - sums[cuts]
        gain = _fit(before, cuts) + _fit(after, n - cuts) - _fit(sums[n] - sums[0], np.array(n))
        gain[before / cuts <= after / (n - cuts)] = 0.0  # it rose
        best = int(gain.argmax())
        if gain[best] > FALL + math.log(end):
            self.last = first + int(cuts[best])


def _fit(won: Floats, n: Floats) -> Floats:
    """Return the log-likelihood of outcomes under their own rate."""
    rate = np.clip(won / n, 1e-3, 1 - 1e-3)
    found: Floats = won * np.log(rate) + (n - won) * np.log(1 - rate)
    return found
