"""What soft thoughts are worth on a puzzle: every arm on the same held-out questions, paired.

Arms: `none`; `verbal` (the assistant's words); `soft` (this projection); and as many vectors of the same
norms that say nothing of the question: `random`, `mean`, `swapped`. A difference to only some of these is no
evidence that the thoughts are read.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import torch

from ...envs.errors import UnknownName
from ...envs.types import Record
from ..evaluate.statistics import estimate
from .assistant import SoftAssistant
from .config import Example
from .placebo import CONTROLS, Control, control
from .projection import Projection
from .puzzles import Puzzle
from .reader import SoftReader
from .slots import for_llm
from .verbal import for_llm_in_words, verbal_hint

ARMS = ("none", "verbal", "soft", *CONTROLS)
Decoding = Literal["greedy", "sampled"]


class Answer(Record):
    """One answer."""

    arm: str
    question: int
    """Number of the question."""
    decoding: Decoding
    seed: int
    right: bool
    parsed: bool
    text: str
    tokens: int
    """Tokens that the LLM read and wrote for it."""


class Gain(Record):
    """A paired difference in the share of right answers, with its 95% interval."""

    a: str
    b: str
    decoding: Decoding
    n: int
    diff: float
    ci95: tuple[float, float]


class Table(Record):
    """An evaluation on one puzzle."""

    puzzle: str
    answers: tuple[Answer, ...]

    def share(self, arm: str, decoding: Decoding) -> float:
        """Return the share of right answers of an arm."""
        return float(np.mean([a.right for a in self.answers if _of(a, arm, decoding)]))

    def parsed(self, arm: str, decoding: Decoding) -> float:
        """Return the share of answers that could be read."""
        return float(np.mean([a.parsed for a in self.answers if _of(a, arm, decoding)]))

    def tokens(self, arm: str, decoding: Decoding) -> float:
        """Return tokens an answer."""
        return float(np.mean([a.tokens for a in self.answers if _of(a, arm, decoding)]))

    def gain(self, a: str, b: str, decoding: Decoding) -> Gain:
        """Return how much better a is than b, paired by question; samples of one question are averaged."""
        mean = {
            arm: {
                q: float(
                    np.mean(
                        [x.right for x in self.answers if x.question == q and _of(x, arm, decoding)]
                    )
                )
                for q in sorted({x.question for x in self.answers if _of(x, arm, decoding)})
            }
            for arm in (a, b)
        }
        both = sorted(mean[a].keys() & mean[b].keys())
        found = estimate([mean[a][q] - mean[b][q] for q in both], seed=0)
        return Gain(
            a=a, b=b, decoding=decoding, n=len(both), diff=found.mean, ci95=(found.low, found.high)
        )


def evaluate_puzzle(
    name: str,
    family: Puzzle,
    questions: Sequence[Example],
    *,
    assistant: SoftAssistant,
    reader: SoftReader,
    projection: Projection,
    n: int,
    arms: Sequence[str] = ARMS,
    seeds: Sequence[int] = (),
    told: Callable[[int, int], None] | None = None,
) -> Table:
    """Return the answers of every arm.

    Args:
        name: Of the puzzle.
        family: Its check.
        questions: Held out from training.
        assistant: Thinks.
        reader: The frozen LLM.
        projection: Of the assistant's states.
        n: Thoughts a question.
        arms: Which; see `ARMS`.
        seeds: Of sampled answers at temperature 1, besides the greedy one.
        told: Told of the answers done, and of all.

    Raises:
        UnknownName: There is no such arm.
    """
    for arm in arms:
        if arm not in ARMS:
            raise UnknownName("arm", arm, ARMS)
    with torch.no_grad():
        soft = projection(assistant.states([q.assistant_sees for q in questions], n))
    wanted: list[tuple[Decoding, int]] = [("greedy", 0), *(("sampled", s) for s in seeds)]
    answers, total = [], len(questions) * len(arms) * len(wanted)
    none = torch.zeros(0, reader.llm.d)
    for number, question in enumerate(questions):
        words = verbal_hint(assistant.frozen, question.assistant_sees) if "verbal" in arms else ""
        for arm in arms:
            if arm == "none":
                prompt, thoughts = for_llm(reader.llm, reader.marks, question.question, 0), none
            elif arm == "verbal":
                prompt, thoughts = for_llm_in_words(reader.llm, question.question, words), none
            else:
                prompt = for_llm(reader.llm, reader.marks, question.question, n)
                thoughts = _thoughts(arm, soft)[number]
            for decoding, seed in wanted:
                before = reader.tokens
                text = reader.generate(
                    prompt,
                    thoughts,
                    max_tokens=family.max_tokens,
                    temperature=float(decoding == "sampled"),
                    seed=seed * 1_000_003 + number,
                )
                verdict = family.check(question, text)
                answers.append(
                    Answer(
                        arm=arm,
                        question=number,
                        decoding=decoding,
                        seed=seed,
                        right=verdict.right,
                        parsed=verdict.parsed,
                        text=text,
                        tokens=reader.tokens - before,
                    )
                )
                if told is not None:
                    told(len(answers), total)
    return Table(puzzle=name, answers=tuple(answers))


def _thoughts(arm: str, soft: torch.Tensor) -> torch.Tensor:
    kinds: dict[str, Control] = {kind: kind for kind in CONTROLS}
    return control(kinds[arm], soft, seed=0) if arm in kinds else soft


def _of(answer: Answer, arm: str, decoding: Decoding) -> bool:
    return answer.arm == arm and answer.decoding == decoding
