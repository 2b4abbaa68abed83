"""A fall of success is noticed, and nothing else is taken for one."""

import numpy as np
import pytest

from lichen.memory.credit.change_point import Falls


def fell_at(outcomes: list[float]) -> int:
    falls = Falls()
    for outcome in outcomes:
        falls.observe(outcome)
    return falls.last


def streams(before: float, after: float, n: int = 60) -> list[list[float]]:
    rng = np.random.default_rng(0)
    return [
        [float(x) for x in np.r_[rng.random(20) < before, rng.random(20) < after]] for _ in range(n)
    ]


@pytest.mark.parametrize(("before", "after", "noticed"), [(0.9, 0.1, 0.95), (0.8, 0.2, 0.7)])
def test_a_fall_is_noticed_about_where_it_was(before: float, after: float, noticed: float) -> None:
    found = [fell_at(outcomes) for outcomes in streams(before, after)]
    near = [at for at in found if 16 <= at <= 26]
    assert len(near) >= noticed * len(found)


@pytest.mark.parametrize(("before", "after"), [(0.5, 0.5), (0.9, 0.9), (0.1, 0.8)])
def test_chance_and_a_rise_are_no_fall(before: float, after: float) -> None:
    found = [fell_at(outcomes) for outcomes in streams(before, after)]
    assert sum(map(bool, found)) <= 0.1 * len(found)


def test_it_is_the_same_however_long_one_waits_to_ask() -> None:
    outcomes = [1.0] * 8 + [0.0] * 6
    assert fell_at(outcomes) == 8
    assert fell_at([*outcomes, *[1.0] * 40]) == 8
    assert fell_at([*outcomes, *[1.0] * 40, *[0.0] * 6]) == 54
    assert fell_at([]) == 0
    assert fell_at([0.0] * 6 + [1.0] * 20) == 0
