"""Chains of thought: is the answer drawn from the chain? (arXiv:2307.13702; arXiv:2411.15382)

The chain stands in the model's own turn and the answer is forced behind it. Early termination cuts it after
step i, filler writes dots in the place of the rest, paraphrase says the rest in other words; the whole chain
of another question is the exchange. An answer should follow the cut, the filler and the exchange, and not
the paraphrase.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
import torch

from ....envs.errors import UsageError
from ...llm.slots import Prompt, for_llm
from ...llm.soft_reader import SoftReader
from ...softcot.soft_config import Example
from .answering import CUE, Answering, Given, Told
from .measures import Outcome, Role
from .rewording import reworded

Written = Literal["own", "gold"]
FRACTIONS = (0.0, 0.25, 0.5, 0.75)
"""Shares of a chain after which it is disturbed."""
FILLER = " ..."
MOST = 96
"""Most tokens of a chain that the model writes itself."""


class Chain(NamedTuple):
    """A question with the steps of its chain."""

    example: Example
    steps: tuple[str, ...]


def steps_of(text: str) -> tuple[str, ...]:
    """Return the sentences of a chain, without what follows `Answer:`.

    >>> steps_of("3 + 4 = 7. 7 + 5 = 12. Answer: 12")
    ('3 + 4 = 7.', '7 + 5 = 12.')
    """
    said = text.partition(CUE)[0]
    return tuple(part.strip() for part in re.split(r"(?<=[.!?])\s+|\n+", said) if part.strip())


def chain_of(example: Example, written: Written, reader: SoftReader) -> Chain:
    """Return a question's chain: the gold rationale, or what the frozen LLM writes (greedy).

    A chain of no step is left to the caller to leave out.
    """
    if written == "gold":
        return Chain(example, steps_of(example.target))
    none = torch.zeros(0, reader.llm.d)
    asked = for_llm(reader.llm, reader.marks, example.question, 0)
    return Chain(example, steps_of(reader.generate(asked, none, max_tokens=MOST)))


class Forced:
    """Prompts with a chain in the model's turn, up to the cue of the answer.

    Args:
        reader: Whose tokens.
        cue: Of the answer.
    """

    def __init__(self, reader: SoftReader, cue: str) -> None:
        self._reader, self._cue = reader, cue
        self._none = torch.zeros(0, reader.llm.d)

    def given(self, example: Example, steps: Sequence[str], *, filler: int = 0) -> Given:
        """Return what the model reads.

        Args:
            example: The question.
            steps: The chain's steps.
            filler: Tokens of dots behind them.
        """
        llm = self._reader.llm
        before = for_llm(llm, self._reader.marks, example.question, 0).ids
        dots = llm.ids(FILLER)
        ids = (
            *before,
            *llm.ids(" ".join(steps)),
            *(dots * filler)[:filler],
            *llm.ids(f" {self._cue}" if steps or filler else self._cue),
        )
        return Given(Prompt(ids, len(ids), 0), self._none)

    def tokens(self, steps: Sequence[str]) -> int:
        """Return how many tokens steps are."""
        return len(self._reader.llm.ids(" ".join(steps)))


def outcomes_of_chains(
    chains: Sequence[Chain],
    answering: Answering,
    *,
    seed: int,
    told: Told | None = None,
) -> list[Outcome]:
    """Return the outcome of every chain under every test.

    Args:
        chains: At least two, each of at least one step.
        answering: The frozen LLM, asked for what follows the cue.
        seed: Of the rewording and the exchange.
        told: Told of the chains done.

    Raises:
        UsageError: There are fewer than two chains, or one has no step.
    """
    if len(chains) < 2 or not all(chain.steps for chain in chains):
        raise UsageError(
            "at least two chains with steps are needed",
            hint="Ask more questions, or say --chains gold (sudoku4 has no gold chains).",
        )
    forced, found = Forced(answering.reader, answering.questions.cue), list[Outcome]()
    other = exchanged(len(chains), np.random.default_rng([seed, 1]))
    for number, (example, steps) in enumerate(chains):
        rng = np.random.default_rng([seed, 2, number])
        item = answering.item(str(number), example, forced.given(example, steps))
        whole = forced.tokens(steps)
        for i in sorted({int(len(steps) * share) for share in FRACTIONS}):
            kept, said = steps[:i], tuple(reworded(step, rng) for step in steps[i:])
            variants: Mapping[str, Given] = {
                "early": forced.given(example, kept),
                "filler": forced.given(example, kept, filler=whole - forced.tokens(kept)),
                "paraphrase": forced.given(example, (*kept, *said)),
            }
            for test, given in variants.items():
                if test == "paraphrase" and said == steps[i:]:
                    continue  # no rule knew how to say it: nothing was changed
                role: Role = "ablate" if test == "early" and i == 0 else ""
                share = round(4 * i / len(steps)) / 4
                found.append(
                    item.under(given, test=test, variant="", step_fraction=share, role=role)
                )
        taken = forced.given(example, chains[other[number]].steps)
        found.append(item.under(taken, test="swap", variant="another's chain", role="swap"))
        if told is not None:
            told(number + 1, len(chains))
    return found


def exchanged(count: int, rng: np.random.Generator) -> list[int]:
    """Return for each of `count` >= 2 items another one, by a permutation without a fixed point.

    >>> sorted(exchanged(4, np.random.default_rng(0)))
    [0, 1, 2, 3]
    """
    order = rng.permutation(count)
    found = [0] * count
    for here, there in zip(order, np.roll(order, 1), strict=True):
        found[int(here)] = int(there)
    return found
