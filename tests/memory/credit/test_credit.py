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
