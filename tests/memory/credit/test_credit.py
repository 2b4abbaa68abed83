"""Uplifts of items: what they claim covers the truth, and randomised reads alone tell."""

import numpy as np
import pytest

from lichen.agent.lab.bench.credit_accuracy import OURS, bench_credit
from lichen.memory.credit.credit import Credit, Exposure


def lived(effect: float, episodes: int, *, seed: int = 0) -> Credit:
    rng, credit = np.random.default_rng(seed), Credit()
    for _ in range(episodes):
        shown = rng.random(2) >= 0.25
        chance = 0.5 + effect * shown[0]
        seen = [
            Exposure(item=name, exposed=bool(z), propensity=0.75)
            for name, z in zip("ab", shown, strict=True)
        ]
        credit.observe("one", seen, float(rng.random() < chance))
    return credit


@pytest.mark.parametrize("effect", [0.3, 0.0, -0.3])
def test_the_interval_of_an_uplift_covers_the_true_effect(effect: float) -> None:
    inside = 0
    for seed in range(20):
        found = lived(effect, 400, seed=seed).uplift("a")
        inside += found.low <= effect <= found.high
    assert inside >= 17
    assert lived(effect, 1600).uplift("a").high - lived(effect, 1600).uplift("a").low < 0.25


def test_an_item_shown_for_certain_tells_nothing_and_an_unknown_one_claims_nothing() -> None:
    credit = Credit()
    credit.observe("c", [Exposure(item="a", exposed=True, propensity=1.0)], 1.0)
    assert credit.uplift("a").n == 0
    assert (credit.uplift("x").low, credit.uplift("x").high) == (-1.0, 1.0)


def test_short_streams_already_tell_lichens_credit_from_the_others() -> None:
    found = bench_credit(episodes=(3000,), say=lambda _: None)
    by_rule = {row["what"]: row["spearman"] for row in found["rows"] if "spearman" in row}
    assert by_rule.pop(OURS) > 0.6 > 0.45 > max(by_rule.values())


def met(effects: tuple[float, float], episodes: int, *, seed: int = 0) -> Credit:
    """Live with one item whose effect in kind `x` is another than in kind `y`, among nine of no effect."""
    rng, credit = np.random.default_rng(seed), Credit()
    for number in range(episodes):
        kind = number % 2
        shown = rng.random(10) >= 0.25
        chance = 0.5 + effects[kind] * shown[0]
        seen = [
            Exposure(item=str(item), exposed=bool(z), propensity=0.75)
            for item, z in enumerate(shown)
        ]
        credit.observe("xy"[kind], seen, float(rng.random() < chance))
    return credit


def test_an_item_that_helps_one_kind_of_task_and_harms_another_is_told_apart() -> None:
    credit = met((0.3, -0.3), 2000)
    assert abs(credit.uplift("0").mean) < 0.1  # in general it does nothing
    assert credit.uplift("0", "x").low > 0 > credit.uplift("0", "y").high
    assert credit.uplift("0", "x/some form of goal") == credit.uplift("0", "x")


def test_where_kinds_do_not_differ_what_is_known_elsewhere_counts() -> None:
    inside = tight = 0
    for seed in range(10):
        credit = met((0.3, 0.3), 400, seed=seed)
        here, everywhere = credit.uplift("0", "x"), credit.uplift("0")
        inside += here.low <= 0.3 <= here.high
        tight += here.high - here.low < 1.3 * (everywhere.high - everywhere.low)
    assert inside >= 8 and tight >= 7


def test_a_kind_that_was_never_met_is_less_sure_than_all_together() -> None:
    credit = met((0.3, -0.3), 2000)
    new = credit.uplift("0", "z")
    assert (
        new.low < 0 < new.high and new.n < credit.uplift("0").n / 10
    )  # and so it is tried more often


def test_selection_by_kind_gains_where_kinds_differ_and_loses_nothing_else() -> None:
    from lichen.agent.lab.bench.credit_by_kind import bench_selection

    found = bench_selection(episodes=1000, say=lambda _: None)
    assert found["holds"] and found["ratio"] > 1.2
