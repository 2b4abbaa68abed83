"""Paired statistics: intervals over tasks, differences of two arms."""

import numpy as np
import pytest

from lichen.agent.lab.kernel.contrasts import (
    Interval,
    against,
    difference,
    interval,
    paired_difference,
    tasks_of_both,
)
from lichen.memory.credit.intervals import estimate


def test_the_interval_covers_the_mean_and_shrinks_with_tasks() -> None:
    few = estimate([0.0, 1.0] * 5, seed=0)
    many = estimate([0.0, 1.0] * 50, seed=0)
    assert few.low < few.mean == 0.5 < few.high
    assert many.high - many.low < few.high - few.low
    assert many.low == pytest.approx(0.4, abs=0.03)
    assert estimate([0.0, 1.0] * 5, seed=0) == few


def test_a_paired_difference_is_the_interval_of_the_differences() -> None:
    rng = np.random.default_rng(0)
    mine, theirs = rng.normal(0.5, 0.1, 40).tolist(), rng.normal(0.0, 0.1, 40).tolist()
    found = difference(mine, theirs, seed=3)
    assert found == estimate([a - b for a, b in zip(mine, theirs, strict=True)], seed=3)
    record = paired_difference(mine, theirs, seed=3)
    assert (record.mean, record.ci95) == (found.mean, (found.low, found.high)) and record.holds
    assert not paired_difference(theirs, mine, seed=3).holds
    assert interval(mine, seed=3) == Interval(**estimate(mine, seed=3)._asdict())
    with pytest.raises(ValueError, match="shorter"):
        difference([1.0, 2.0], [1.0], seed=0)


def test_only_tasks_that_both_arms_have_are_compared_and_no_arm_with_itself() -> None:
    assert tasks_of_both({"c": 1, "a": 2}, {"a": 3, "b": 4, "c": 5}) == ["a", "c"]
    assert against("a", ["a", "b"]) == [("a", "b")]
