"""What a stream's decisions come to: accuracy matrix, transfer, forgetting, negative flips.

R[i][j] is the accuracy on family j after stage i, R[0] = b that of the LLM before learning (Lopez-Paz and
Ranzato 2017, arXiv:1706.08840; Chaudhry et al. 2018, arXiv:1801.10112). Knows only who was right where.
"""

import numpy as np
from numpy.typing import NDArray

from ....envs.types import Record
from ..kernel.contrasts import Interval, difference, interval

Right = NDArray[np.bool_]
"""Whether each decision was right: shape (T + 1, T, n), stage by family by decision."""


class Measures(Record):
    """What one arm made of the stream; differences of accuracies are in [-1, 1]."""

    matrix: tuple[tuple[float, ...], ...]
    """R: T + 1 rows (before learning, after each stage), T columns (families)."""
    accuracy: Interval
    """ACC: mean over the families of R[T][j]."""
    learning_accuracy: Interval
    """Mean of R[j][j]: right after learning a family."""
    backward: Interval
    """BWT: mean over j < T of R[T][j] - R[j][j]; below 0 is forgetting."""
    forward: Interval
    """FWT: mean over j > 1 of R[j-1][j] - b[j]: what earlier families give to one not learned yet."""
    forgetting: Interval
    """Mean over j < T of the best R[l][j], 1 <= l < T, less R[T][j] (the best stage is taken as given in the
    interval)."""
    negative_flips: Interval | None
    """NFR: of the decisions of j < T that were right at their own stage, the share that is wrong at the end;
    None where none was right."""
    base_flips: Interval | None
    """The same of all decisions that were right before learning; None where none was right."""
    plasticity: Interval
    """R[T][T] - b[T]: what is still learned from the last family."""


def matrix(right: Right) -> NDArray[np.float64]:
    """Return R, shape (T + 1, T)."""
    return np.asarray(right.mean(axis=2), np.float64)


def measure(right: Right, *, seed: int) -> Measures:
    """Return the measures of one arm.

    Args:
        right: T >= 2 families.
        seed: Of the resampling.
    """
    score = right.astype(np.float64)
    found = matrix(right)
    families = range(right.shape[1])
    last = right.shape[1]
    own = np.stack([score[j + 1, j] for j in families])  # (T, n)
    before = np.stack([score[j, j] for j in families])
    best = [1 + int(found[1:last, j].argmax()) for j in range(last - 1)]
    peak = np.stack([score[best[j], j] for j in range(last - 1)])
    held = own[:-1] > 0
    known = score[0] > 0

    def over(values: NDArray[np.float64]) -> Interval:
        return interval(values.ravel(), seed=seed)

    return Measures(
        matrix=tuple(tuple(float(x) for x in row) for row in found),
        accuracy=over(score[last]),
        learning_accuracy=over(own),
        backward=over(score[last, :-1] - own[:-1]),
        forward=over((before - score[0])[1:]),
        forgetting=over(peak - score[last, :-1]),
        negative_flips=over(1.0 - score[last, :-1][held]) if held.any() else None,
        base_flips=over(1.0 - score[last][known]) if known.any() else None,
        plasticity=over(score[last, -1] - score[0, -1]),
    )


def paired(a: Right, b: Right, *, seed: int) -> Interval:
    """Return the difference a - b of the final accuracies, paired by decision."""
    mine, theirs = (last[-1].astype(np.float64).ravel().tolist() for last in (a, b))
    found = difference(mine, theirs, seed=seed)
    return Interval(mean=found.mean, low=found.low, high=found.high)
