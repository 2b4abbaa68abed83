"""Hints: are the assistant's thoughts, soft or in words, what the answer hangs on?

`ablate` gives no hint, `swap` that of another question; the others say nothing of the question: random
directions of the same norms (words: random words of the vocabulary), the mean over the questions, the same
thoughts in another order.
"""

import re
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch

from ....envs.errors import UsageError
from ...llm.soft_reader import SoftReader
from ...softcot.controls import control
from ...softcot.example_rows import row_of
from ...softcot.soft_config import Example
from ...softcot.verbal_hints import with_words
from .answering import Answering, Given, Told
from .measures import Outcome, Role
from .of_chains import exchanged

ROLES: dict[str, Role] = {"ablate": "ablate", "swap": "swap"}


class HintVariants(Protocol):
    """What the model reads for a question, with its hint or a variant of it."""

    variants: tuple[str, ...]

    def given(self, number: int, variant: str = "") -> Given | None:
        """Return it; None where the variant would change nothing. An empty variant is the hint as it is."""
        ...


class SoftHints:
    """Soft thoughts.

    Args:
        reader: The frozen LLM.
        questions: m of them.
        soft: Their thoughts, shape (m, n, d).
        seed: Of directions, exchange and order.
    """

    variants: tuple[str, ...] = ("ablate", "swap", "noise", "mean", "shuffle")

    def __init__(
        self, reader: SoftReader, questions: Sequence[Example], soft: torch.Tensor, *, seed: int
    ) -> None:
        self._reader, self._questions = reader, questions
        n = soft.shape[1]
        self._same_order = n < 2
        order = exchanged(n, np.random.default_rng([seed, 3])) if n > 1 else [0]
        self._soft = {
            "": soft,
            "swap": control("swapped", soft, seed=seed),
            "noise": control("random", soft, seed=seed),
            "mean": control("mean", soft, seed=seed),
            "shuffle": soft[:, order],
        }

    def given(self, number: int, variant: str = "") -> Given | None:
        """See `HintVariants`."""
        reader, question = self._reader, self._questions[number]
        if variant == "ablate":
            none = torch.zeros(0, reader.llm.d)
            return Given(row_of(reader, question, 0).prompt, none)
        if variant == "shuffle" and self._same_order:
            return None
        soft = self._soft[variant][number]
        return Given(row_of(reader, question, len(soft)).prompt, soft)


class VerbalHints:
    """Hints in words.

    Args:
        reader: The frozen LLM.
        questions: m of them.
        words: Their hints, m texts.
        seed: Of random words, exchange and order.
    """

    variants: tuple[str, ...] = ("ablate", "swap", "noise", "shuffle")

    def __init__(
        self, reader: SoftReader, questions: Sequence[Example], words: Sequence[str], *, seed: int
    ) -> None:
        self._reader, self._questions, self._words = reader, questions, list(words)
        self._seed = seed
        self._other = exchanged(len(words), np.random.default_rng([seed, 1]))
        held = sorted(reader.llm.tokenizer.get_vocab())
        self._vocabulary = [w[1:] for w in held if re.fullmatch(r"[Ġ▁][a-z]{3,9}", w)] or ["word"]

    def given(self, number: int, variant: str = "") -> Given | None:
        """See `HintVariants`."""
        reader, question = self._reader, self._questions[number]
        none = torch.zeros(0, reader.llm.d)
        own = self._words[number]
        if variant == "ablate":
            return Given(row_of(reader, question, 0).prompt, none)
        said = own
        rng = np.random.default_rng([self._seed, 4, number])
        if variant == "swap":
            said = self._words[self._other[number]]
        elif variant == "noise":
            picked = rng.integers(0, len(self._vocabulary), max(1, len(own.split())))
            said = " ".join(self._vocabulary[int(i)] for i in picked)
        elif variant == "shuffle":
            said = " ".join(str(w) for w in rng.permutation(own.split()))
        if variant and said == own:
            return None
        return Given(with_words(reader.llm, question, said), none)


def outcomes_of_hints(
    questions: Sequence[Example],
    hints: HintVariants,
    answering: Answering,
    *,
    told: Told | None = None,
) -> list[Outcome]:
    """Return the outcome of every question under every variant of its hint.

    Args:
        questions: Held out; at least two.
        hints: What the model reads for each.
        answering: The frozen LLM.
        told: Told of the questions done.

    Raises:
        UsageError: There are fewer than two questions.
    """
    if len(questions) < 2:
        raise UsageError("at least two questions are needed", hint="Raise --questions.")
    found = []
    for number, example in enumerate(questions):
        whole = hints.given(number)
        assert whole is not None
        item = answering.item(str(number), example, whole)
        for variant in hints.variants:
            given = hints.given(number, variant)
            if given is not None:
                role = ROLES.get(variant, "")
                found.append(item.under(given, test="hint", variant=variant, role=role))
        if told is not None:
            told(number + 1, len(questions))
    return found
