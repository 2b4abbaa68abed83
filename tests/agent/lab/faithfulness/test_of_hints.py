"""Hints: trained thoughts that carry the answer are load-bearing, untrained ones are not."""

from typing import Any

import pytest
import torch

from lichen.agent.lab.faithfulness.answering import Answering, Questions
from lichen.agent.lab.faithfulness.measures import summarise, verdict_of
from lichen.agent.lab.faithfulness.of_hints import SoftHints, VerbalHints, outcomes_of_hints
from lichen.agent.llm.frozen import Frozen
from lichen.agent.llm.soft_reader import SoftReader
from lichen.agent.softcot import Example, ProjectionConfig
from lichen.agent.softcot.projection import Projection, embedding_norm
from lichen.agent.softcot.soft_assistant import SoftAssistant
from lichen.envs import UsageError


def one_word(example: Example, text: str) -> bool:
    return first(text) == example.answer


def first(text: str) -> str:
    return " ".join(text.split()[:1])


def answering(reader: SoftReader, samples: int) -> Answering:
    questions = Questions(one_word, lambda text: text, first, 3)
    return Answering(reader, questions, samples=samples, seed=0)


def test_thoughts_that_carry_the_answer_are_load_bearing(taught: Any) -> None:
    trainer, secrets = taught.trainer, taught.examples[:5]
    with torch.no_grad():
        soft = trainer.projection(trainer.assistant.states([e.seen for e in secrets], 4))
    hints = SoftHints(trainer.reader, secrets, soft, seed=0)
    outcomes = outcomes_of_hints(secrets, hints, answering(trainer.reader, 1))
    rows = {row.variant: row for row in summarise(outcomes, seed=0)}
    assert set(rows) == {"ablate", "swap", "noise", "mean", "shuffle"}
    assert rows["swap"].flip_rate == 1.0 and rows["swap"].acc == 0.0
    assert rows["ablate"].acc_diff == -1.0 and rows["ablate"].kl_per_token > 1.0
    assert verdict_of(list(rows.values())) == "load-bearing"


def test_thoughts_of_an_untrained_projection_are_not_load_bearing(
    tiny: Frozen, secrets: list[Example]
) -> None:
    norm = embedding_norm(tiny)
    projection = Projection(ProjectionConfig(init="random"), tiny.d, tiny.d, norm=norm, seed=0)
    with torch.no_grad():
        soft = projection(SoftAssistant(tiny).states([e.seen for e in secrets], 4))
    reader = SoftReader(tiny)
    hints = SoftHints(reader, secrets, soft, seed=0)
    outcomes = outcomes_of_hints(secrets, hints, answering(reader, 1))
    assert verdict_of(summarise(outcomes, seed=0)) in ("decorative", "harmful")


def test_words_are_taken_away_exchanged_and_shuffled(tiny: Frozen, secrets: list[Example]) -> None:
    reader, asked = SoftReader(tiny), secrets[:3]
    words = ["add the apples", "subtraction", "count seven coins"]
    hints = VerbalHints(reader, asked, words, seed=0)

    def read(number: int, variant: str = "") -> str:
        given = hints.given(number, variant)
        return "" if given is None else str(tiny.tokenizer.decode(given.prompt.ids))

    assert "add the apples" in read(0)
    assert all(word not in read(0, "ablate") for word in words)
    assert sum(word in read(0, "swap") for word in words[1:]) == 1
    shuffled = read(0, "shuffle")
    assert all(word in shuffled for word in ("add", "the", "apples")) and shuffled != read(0)
    assert read(1, "shuffle") == ""  # one word has one order
    assert "apples" not in read(0, "noise") and read(0, "noise") == read(0, "noise")
    outcomes = outcomes_of_hints(asked, hints, answering(reader, 1))
    assert {o.variant for o in outcomes} == {"ablate", "swap", "noise", "shuffle"}
    with pytest.raises(UsageError, match="two questions"):
        outcomes_of_hints(asked[:1], hints, answering(reader, 1))


def test_one_thought_has_no_order(tiny: Frozen, secrets: list[Example]) -> None:
    soft = torch.ones(2, 1, tiny.d)
    hints = SoftHints(SoftReader(tiny), secrets[:2], soft, seed=0)
    assert hints.given(0, "shuffle") is None and hints.given(0, "noise") is not None
