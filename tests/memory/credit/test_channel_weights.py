"""Weights of the channels: the prior before evidence, a model's real competence after it, no harm by memory."""

import numpy as np
import pytest

from lichen.agent.acting.priors import AS_IT_IS, NO_MODEL, UNKNOWN, prior_of
from lichen.memory.credit.channel_weights import CHANNELS, KnownDecision, compact, fit

OPTIONS = 12


def decisions(
    model: float, memory: float, *, n: int = 48, seed: int = 0, wrong: bool = False
) -> list[KnownDecision]:
    """Decisions where the model and memory are right that often, each by itself, else name another."""
    rng, found = np.random.default_rng(seed), []
    for number in range(n):
        said = np.zeros((OPTIONS, len(CHANNELS)))
        for name, right, strength in (("first", model, 1.0), ("value", memory, 0.3)):
            row = 0 if rng.random() < right else int(rng.integers(1, OPTIONS))
            said[row, CHANNELS.index(name)] = strength
        options, taken = compact(said, 0)
        found.append(
            KnownDecision(episode=f"e{number // 4}", options=options, taken=taken, wrong=wrong)
        )
    return found


def test_before_evidence_a_model_is_trusted_as_it_is() -> None:
    weights = fit(UNKNOWN, [])
    assert weights == UNKNOWN.mean and weights.first == AS_IT_IS
    assert fit(UNKNOWN, [], model=False).first == fit(NO_MODEL, []).first == 0.0


@pytest.mark.parametrize("model", [0.0, 0.3, 0.6, 0.9])
def test_the_weight_of_the_first_choice_is_its_log_odds(model: float) -> None:
    weights = fit(UNKNOWN, decisions(model, 0.95, n=200))
    right = max(model, 1 / OPTIONS)
    odds = np.log(right / (1 - right) * (OPTIONS - 1))
    assert weights.first == pytest.approx(odds, abs=1.6)
    assert weights.known == 200 and weights.right == pytest.approx(200 * model, abs=20)


def test_a_perfect_models_word_is_never_outweighed() -> None:
    weights = fit(UNKNOWN, decisions(1.0, 0.6))
    assert weights.first > weights.value * 0.5 + weights.novelty + 3
    assert weights.right == weights.known == 48


def test_memory_speaks_where_it_helps_and_not_where_it_does_not() -> None:
    helps = fit(UNKNOWN, decisions(0.3, 0.8))
    assert helps.speaks == "both" and helps.right_with_memory > helps.right + 10
    useless = fit(UNKNOWN, decisions(0.7, 0.05))
    assert useless.speaks == "model" and useless.value == 0.0
    assert useless.first == UNKNOWN.mean.first  # the model alone, as it is
    alone = fit(UNKNOWN, decisions(0.7, 0.05), model=False)
    assert alone.speaks == "both"  # without a model there is nothing to be worse than


def test_a_model_that_memory_was_seen_to_carry_must_help_it() -> None:
    carried = prior_of("smollm2-135m")
    assert carried.measured and carried.mean.first == 0.0
    mute = fit(carried, decisions(0.1, 0.8))
    assert mute.speaks == "memory" and mute.first == mute.scores == 0.0 < mute.value


def test_steps_of_lost_episodes_speak_against_what_was_taken() -> None:
    won = decisions(0.6, 0.9, seed=1)
    lost = [
        one.model_copy(update={"demonstrated": False}) for one in decisions(1.0, 0.0, wrong=True)
    ]
    assert fit(UNKNOWN, [*won, *lost]).first < fit(UNKNOWN, won).first


def test_options_alike_are_one_row_with_their_count() -> None:
    options, taken = compact(np.array([[0.5, 0], [0.0, 1], [0.5, 0]]), 2)
    assert options == ((2.0, 0.5, 0.0), (1.0, 0.0, 1.0)) and taken == 0


def test_lost_episodes_speak_against_the_model_and_not_against_memory() -> None:
    won = decisions(0.5, 0.6)
    lost = decisions(0.9, 0.9, n=200, seed=1, wrong=True)
    after, before = fit(UNKNOWN, [*lost, *won], gate=False), fit(UNKNOWN, won, gate=False)
    assert after.first < before.first and after.value > 0.9 * before.value
    assert fit(NO_MODEL, [*won, *lost], model=False) == fit(NO_MODEL, won, model=False)
