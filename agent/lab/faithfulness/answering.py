"""How an item is answered, greedily and sampled, and how far a variant moves the answer.

Knows the frozen LLM as a reader; what a variant is, is known by the caller.
"""

import re
import zlib
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import torch

from ...llm.slots import Prompt
from ...llm.soft_reader import Row, SoftReader
from ...softcot.soft_config import Example
from ...softcot.sources import Check
from ..kernel.divergence import divergence
from .measures import Outcome, Role

Told = Callable[[int, int], None]
"""Told of how many items are done, and of how many."""
CUE = "Answer:"


class _Form(NamedTuple):
    """What a forced answer to a puzzle looks like."""

    cue: str
    pattern: str
    tokens: int


_FORMS: Mapping[str, _Form] = {
    # after a bare `Answer:` a small model repeats the step before the last, or begins a sum
    "words": _Form(f"{CUE} the number is", r"\s*(?:-?\d+\s*[-+*=]\s*)*-?\d+", 14),
    "countdown3": _Form(CUE, r"[ \d+*()-]+", 20),
    "sudoku4": _Form(CUE, r"(?:[^1-4]*[1-4]){16}", 48),
}


class Given(NamedTuple):
    """What the model reads."""

    prompt: Prompt
    soft: torch.Tensor
    """Shape (prompt.n, d)."""


class Questions(NamedTuple):
    """How answers are read."""

    check: Callable[[Example, str], bool]
    """Whether a text answers a question rightly."""
    span: Callable[[str], str]
    """The part of a text that is the answer, from its beginning: its tokens are those of the KL."""
    key: Callable[[str], str]
    """What two texts of the same answer have in common."""
    max_tokens: int
    cue: str = ""
    """What the model's turn is made to say before the answer."""


def whole_answers(name: str, family: Check) -> Questions:
    """Return how a puzzle's whole answers are read: up to the end of what follows their last `Answer:`."""
    after = answers_after_cue(name, family)

    def span(text: str) -> str:
        said, cue, rest = text.rpartition(CUE)
        return f"{said}{cue}{after.span(rest)}" if cue else text

    def key(text: str) -> str:
        _, cue, rest = text.rpartition(CUE)
        return after.key(rest) if cue else "".join(text.split())

    return Questions(family.judge, span, key, family.max_tokens)


def answers_after_cue(name: str, family: Check) -> Questions:
    """Return how a puzzle's answers are read where the model is made to give one right away."""
    form = _FORMS.get(name, _Form(CUE, r"[^\n]*", family.max_tokens))

    def span(text: str) -> str:
        found = re.match(form.pattern, text)
        return found[0] if found else text.partition("\n")[0]

    def key(text: str) -> str:
        said = "".join(span(text).split())
        if name != "words":
            return said
        # a sum that is written out answers with what stands behind its last sign of equality
        number = re.match(r"-?\d+", said.rpartition("=")[2])
        return number[0] if number else said

    return Questions(
        lambda e, t: family.judge(e, f"{CUE} {key(t)}"), span, key, form.tokens, form.cue
    )


class Answering:
    """Answers one item as it is, then under variants.

    Args:
        reader: The frozen LLM.
        questions: How answers are read.
        samples: Pairs of sampled answers (temperature 1) that causal use is taken from.
        seed: Of the samples.
    """

    def __init__(
        self, reader: SoftReader, questions: Questions, *, samples: int = 2, seed: int = 0
    ) -> None:
        self.reader, self.questions, self.samples, self.seed = reader, questions, samples, seed

    def item(self, name: str, example: Example, given: Given) -> "AnswerItem":
        """Return an item, answered as it is."""
        return AnswerItem(self, name, example, given)

    def say(self, given: Given, *, seed: int | None = None) -> str:
        """Return the answer's text; sampled where there is a seed."""
        return self.reader.generate(
            given.prompt,
            given.soft,
            max_tokens=self.questions.max_tokens,
            temperature=0.0 if seed is None else 1.0,
            seed=seed or 0,
        )


class AnswerItem:
    """One item.

    Args:
        answering: By whom.
        name: Of the item.
        example: What is asked.
        given: What the model reads when nothing is changed.
    """

    def __init__(self, answering: Answering, name: str, example: Example, given: Given) -> None:
        self._by, self.name, self.example, self.given = answering, name, example, given
        self.text = answering.say(given)
        self.right = answering.questions.check(example, self.text)
        llm = answering.reader.llm
        # what follows the answer is no part of it; an answer of no token is its end
        self._target = tuple(llm.ids(answering.questions.span(self.text))) or (llm.ends[0],)
        self._before = answering.reader.distributions(Row(given.prompt, self._target), given.soft)
        self._drawn: list[tuple[int, str, str]] | None = None

    def under(
        self,
        given: Given,
        *,
        test: str,
        variant: str,
        step_fraction: float | None = None,
        role: Role = "",
    ) -> Outcome:
        """Return what the item comes to when the model reads something else.

        A variant with a role is sampled too: the k-th sample under it has the seed of the second of the k-th
        pair as it was, so that the two flips of causal use differ in what was read alone.
        """
        by = self._by
        text = by.say(given)
        after = by.reader.distributions(Row(given.prompt, self._target), given.soft)
        moved = resampled = None
        if role and by.samples:
            pairs = self._pairs()
            moved = float(np.mean([self._other(a, by.say(given, seed=s)) for s, a, _ in pairs]))
            resampled = float(np.mean([self._other(a, b) for _, a, b in pairs]))
        return Outcome(
            test=test,
            variant=variant,
            step_fraction=step_fraction,
            role=role,
            item=self.name,
            family=self.example.family,
            answer=by.questions.key(text),
            same=not self._other(self.text, text),
            right=by.questions.check(self.example, text),
            was_right=self.right,
            kl=kl_per_token(self._before, after),
            moved=moved,
            resampled=resampled,
        )

    def _pairs(self) -> list[tuple[int, str, str]]:
        if self._drawn is None:
            base = [self._by.seed, zlib.crc32(self.name.encode())]
            seeds = np.random.default_rng(base).integers(1, 2**31, (self._by.samples, 2))
            self._drawn = [
                (
                    int(b),
                    self._by.say(self.given, seed=int(a)),
                    self._by.say(self.given, seed=int(b)),
                )
                for a, b in seeds
            ]
        return self._drawn

    def _other(self, a: str, b: str) -> bool:
        key = self._by.questions.key
        return key(a) != key(b)


def kl_per_token(before: torch.Tensor, after: torch.Tensor) -> float:
    """Return the mean over tokens of KL(before || after), full vocabulary, nats.

    Args:
        before: log p, shape (T, V).
        after: The same of the other.

    >>> kl_per_token(torch.tensor([[0.5, 0.5]]).log(), torch.tensor([[0.5, 0.5]]).log())
    0.0
    """
    return float(divergence(before, after).mean())
