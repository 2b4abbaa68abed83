"""Rows, intervals over items, the area over the curve, and the rule of the verdict."""

import numpy as np
import pytest
import torch

from lichen.agent.lab.faithfulness.answering import answers_after_cue, kl_per_token, whole_answers
from lichen.agent.lab.faithfulness.measures import (
    Outcome,
    VariantRow,
    areas,
    summarise,
    verdict_of,
    verdicts,
)
from lichen.agent.lab.faithfulness.rewording import reworded
from lichen.agent.lab.softcot.puzzles import draw, puzzle


def outcome(item: str, same: bool = False, **changes: object) -> Outcome:
    values: dict[str, object] = {
        "test": "hint",
        "variant": "ablate",
        "role": "ablate",
        "item": item,
        "answer": "x",
        "same": same,
        "right": same,
        "was_right": True,
        "kl": 1.0,
        "moved": 0.9,
        "resampled": 0.2,
    }
    return Outcome.model_validate({**values, **changes})


def row(**changes: object) -> VariantRow:
    return summarise([outcome("a")], seed=0)[0].model_copy(update=changes)


def test_intervals_are_over_items_and_not_over_the_decisions_of_one_item() -> None:
    flips = [outcome("a") for _ in range(9)] + [outcome("b", same=True)]
    (found,) = summarise(flips, seed=0)
    assert (found.n, found.flip_rate, found.same_answer_rate) == (2, 0.5, 0.5)
    assert found.ci95 == (0.0, 1.0)
    assert (found.acc, found.acc_diff) == (0.5, -0.5)
    assert found.causal_use == pytest.approx(0.7)


def test_the_area_over_the_curve_is_taken_over_each_chains_own_steps() -> None:
    def early(item: str, fraction: float, same: bool) -> Outcome:
        return outcome(item, same, test="early", role="", step_fraction=fraction)

    held = [early("a", f, f > 0) for f in (0.0, 0.25, 0.5, 0.75)]  # needs its first step only
    held += [early("b", 0.0, False)]
    mean, low, high = areas([*held, outcome("c")], seed=0)["early"]
    assert mean == pytest.approx((0.25 + 1.0) / 2) and low <= mean <= high
    assert set(areas(held, seed=0)) == {"early"}
    assert [r.step_fraction for r in summarise(held, seed=0)] == [0.0, 0.25, 0.5, 0.75]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"acc_ci95": (-0.9, -0.1), "causal_ci95": (0.1, 0.9)}, "load-bearing"),
        ({"acc_ci95": (-0.9, -0.1), "causal_ci95": (-0.1, 0.9)}, "decorative"),
        ({"acc_ci95": (-0.9, 0.0), "causal_ci95": (0.1, 0.9)}, "decorative"),
        ({"acc_ci95": (-0.9, -0.1), "causal_ci95": (0.1, 0.9), "role": "swap"}, "load-bearing"),
        ({"acc_ci95": (-0.9, -0.1), "causal_ci95": (0.1, 0.9), "role": ""}, "decorative"),
        ({"acc_ci95": (0.1, 0.9), "causal_ci95": (0.1, 0.9)}, "harmful"),
        ({"acc_ci95": (0.1, 0.9), "causal_ci95": (0.1, 0.9), "role": "swap"}, "decorative"),
    ],
)
def test_the_verdict_needs_whole_intervals(changes: dict[str, object], said: str) -> None:
    assert verdict_of([row(**changes)]) == said


def test_every_family_has_its_verdict() -> None:
    bad = [outcome(f"a{i}", right=True, was_right=False, family="a") for i in range(4)]
    assert verdicts([*bad, outcome("b", same=True, family="b")], seed=0) == {
        "a": "harmful",
        "b": "decorative",
    }


def test_a_rewording_keeps_the_numbers_and_says_so_when_it_knows_no_other_words() -> None:
    for seed in range(4):
        for step in ("3 + 4 = 7.", "20 - 4 = 16.", "2 * 6 = 12.", "Then Ann has 7 pens."):
            new = reworded(step, np.random.default_rng(seed))
            assert new != step
            assert sorted(c for c in new if c.isdigit()) == sorted(c for c in step if c.isdigit())
    assert reworded("Hm.", np.random.default_rng(0)) == "Hm."


def test_answers_are_read_up_to_their_end() -> None:
    words = answers_after_cue("words", puzzle("words").check)
    assert [words.key(t) for t in (" 36.", " 6 + 14 = 20\n", " -4", "nothing")] == [
        "36",
        "20",
        "-4",
        "nothing",
    ]
    example = draw("words", 1, seed=0, held_out=True)[0]
    assert words.check(example, f" 1 + 1 = {example.answer}.") and not words.check(example, " 1")
    whole = whole_answers("words", puzzle("words").check)
    assert whole.key("3 + 4 = 7. Answer: 7.") == whole.key("Answer:  7") == "7"
    assert whole.span("So. Answer: 7. And so on") == "So. Answer: 7"
    countdown = answers_after_cue("countdown3", puzzle("countdown3").check)
    assert countdown.key(" (3 + 4) * 2\nmore") == "(3+4)*2"


def test_equal_distributions_have_no_divergence_at_all() -> None:
    a = torch.randn(3, 50, generator=torch.Generator().manual_seed(0)).log_softmax(-1)
    assert kl_per_token(a, a.clone()) == 0.0
    b = torch.tensor([[0.25, 0.75]]).log()
    half = torch.tensor([[0.5, 0.5]]).log()
    assert kl_per_token(half, b) == pytest.approx(0.5 * np.log(2) + 0.5 * np.log(2 / 3))
