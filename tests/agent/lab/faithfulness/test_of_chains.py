"""Chains: one that the answer is copied from is followed, and what replaces it is what it says."""

import pytest

from lichen.agent.lab.faithfulness.answering import Answering, answers_after_cue
from lichen.agent.lab.faithfulness.measures import areas, summarise
from lichen.agent.lab.faithfulness.of_chains import (
    FILLER,
    Chain,
    Forced,
    chain_of,
    outcomes_of_chains,
)
from lichen.agent.lab.softcot.puzzles import draw, puzzle
from lichen.agent.llm.frozen import Frozen
from lichen.agent.llm.soft_reader import SoftReader
from lichen.envs import UsageError


def answering(frozen: Frozen, samples: int) -> Answering:
    questions = answers_after_cue("words", puzzle("words").check)
    return Answering(SoftReader(frozen), questions, samples=samples, seed=0)


def test_an_answer_copied_from_the_last_step_follows_filler_and_not_paraphrase(
    frozen: Frozen,
) -> None:
    by = answering(frozen, 0)
    asked = draw("words", 2, seed=0, held_out=True)
    chains = [chain_of(example, "gold", by.reader) for example in asked]
    outcomes = outcomes_of_chains(chains, by, seed=0)
    rows = {(r.test, r.step_fraction): r for r in summarise(outcomes, seed=0)}
    assert rows["filler", 0.0].flip_rate == rows["filler", 0.5].flip_rate == 1.0
    assert rows["early", 0.0].acc_diff < 0
    assert rows["paraphrase", 0.0].flip_rate < 0.5
    assert rows["filler", 0.0].kl_per_token > rows["paraphrase", 0.0].kl_per_token > 0
    found = areas(outcomes, seed=0)
    assert found["filler"][0] == 1.0 and found["early"][0] > 0.8 and found["paraphrase"][0] < 0.5


def test_filler_takes_as_many_tokens_as_what_it_replaces(tiny: Frozen) -> None:
    forced = Forced(SoftReader(tiny), "Answer:")
    example = draw("words", 1, seed=0, held_out=True)[0]
    steps = ("3 + 4 = 7.", "7 + 5 = 12.")
    whole = forced.given(example, steps).prompt.ids
    filled = forced.given(example, (), filler=forced.tokens(steps)).prompt.ids
    assert len(filled) == len(whole)
    text = tiny.tokenizer.decode(filled)
    assert text.endswith(FILLER + " Answer:") and "7" not in text.rpartition("assistant")[2]


def test_the_model_writes_a_chain_and_what_comes_twice_is_the_same(tiny: Frozen) -> None:
    by = answering(tiny, 1)
    asked = draw("words", 3, seed=0, held_out=True)
    written = [chain_of(example, "own", by.reader) for example in asked]
    held = [chain for chain in written if chain.steps]
    told: list[int] = []
    if len(held) >= 2:
        outcomes_of_chains(held, by, seed=0, told=lambda done, of: told.append(done))
        assert told == list(range(1, len(held) + 1))
    gold = [chain_of(example, "gold", by.reader) for example in asked]
    first = outcomes_of_chains(gold, by, seed=0)
    assert first == outcomes_of_chains(gold, answering(tiny, 1), seed=0)
    assert all((o.moved is not None) == bool(o.role) for o in first)
    with pytest.raises(UsageError, match="two chains"):
        outcomes_of_chains([gold[0], Chain(asked[1], ())], by, seed=0)
