"""A judge's verdicts, corrected for its errors."""

import numpy as np

from lichen.memory.credit.judge_rates import JudgeRates


def test_noisy_verdicts_are_right_on_average_once_they_are_corrected() -> None:
    rng = np.random.default_rng(0)
    judge = JudgeRates()
    assert judge.corrected(1.0) is None  # never checked: a coin
    for truth in rng.random(4000) < 0.5:
        judge.observe(bool(truth != (rng.random() < 0.25)), bool(truth))
    for share in (0.2, 0.8):
        won = rng.random(20_000) < share
        said = (won != (rng.random(len(won)) < 0.25)).astype(float)
        better = [judge.corrected(float(x)) or 0.0 for x in said]
        assert abs(float(np.mean(said)) - share) > 0.1
        assert abs(float(np.mean(better)) - share) < 0.03
