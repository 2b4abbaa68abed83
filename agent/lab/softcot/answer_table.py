"""What soft thoughts are worth: every arm on the same held-out questions, paired.

Arms: `none`; `verbal` (the assistant's words); `soft` (this projection); and as many vectors of the same
norms that say nothing of the question: `random`, `mean`, `swapped`. A difference to only some of these is no
evidence that the thoughts are read.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np
import torch

from ....envs.errors import UnknownName, UsageError
from ....envs.types import Record
from ....memory.credit.intervals import estimate
from ...llm.slots import Prompt
from ...llm.soft_reader import SoftReader
from ...softcot.controls import CONTROLS, control
from ...softcot.decoding import Asked, answer_all
from ...softcot.example_rows import row_of
from ...softcot.projection import Projection
from ...softcot.soft_assistant import SoftAssistant
from ...softcot.soft_config import Example
from ...softcot.sources import Source
from ...softcot.verbal_hints import verbal_hints, with_words

FIXED_ARMS = ("none", "verbal", *CONTROLS)
ARMS = ("none", "verbal", "soft", *CONTROLS)
MARKS = 2
"""Tokens around the soft block."""
Decoding = Literal["greedy", "sampled", "vote"]


class GivenAnswer(Record):
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
    """An evaluation on the held-out questions of one source."""

    source: str
    answers: tuple[GivenAnswer, ...]

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


def evaluate_source(
    source: Source,
    *,
    assistant: SoftAssistant,
    reader: SoftReader,
    projections: Mapping[str, Projection],
    n: int,
    arms: Sequence[str] = ARMS,
    seeds: Sequence[int] = (),
    votes: int = 0,
    chains: int = 1,
    batch: int = 16,
    told: Callable[[int, int], None] | None = None,
) -> Table:
    """Return the answers of every arm to the held-out questions of a source.

    Args:
        source: Questions and their check.
        assistant: Thinks.
        reader: The frozen LLM.
        projections: Of the assistant's states, by the names of their arms; the controls are made from the
            first one's thoughts.
        n: Thoughts a question; the hint in words has at most as many tokens as the soft block.
        arms: Names of projections, `none`, `verbal` and controls.
        seeds: Of sampled answers at temperature 1, besides the greedy one.
        votes: Sampled answers whose majority is one more answer of every arm (self-consistency); those of a
            soft arm go round its chains (SoftCoT++, arXiv:2505.11484).
        chains: Thought chains of the projections.
        batch: Prompts that are decoded together.
        told: Told of the answers done, and of all.

    Raises:
        UnknownName: There is no such arm.
        UsageError: No question is held out.
    """
    if not source.held_out:
        raise UsageError(
            f"no question of {source.name} is held out, so that nothing can be measured",
            hint="Learn or add more examples than are held out, or ask for fewer questions.",
        )
    for arm in arms:
        if arm not in (*FIXED_ARMS, *projections):
            raise UnknownName("arm", arm, (*FIXED_ARMS, *projections))
    questions, check = source.held_out, source.check
    seen = [q.assistant_sees for q in questions]
    main = next(iter(projections.values()))
    thoughts: dict[str, list[torch.Tensor]] = {}
    with torch.no_grad():
        states = [assistant.states(seen, n, chain=c) for c in range(chains)]
        for arm in projections.keys() & set(arms):
            thoughts[arm] = [projections[arm](s) for s in states]
        for kind in CONTROLS:
            if kind in arms:
                thoughts[kind] = [control(kind, main(states[0]), seed=0)]
    words = verbal_hints(assistant.frozen, seen, most=n + MARKS) if "verbal" in arms else []
    wanted: list[tuple[Decoding, int]] = [("greedy", 0), *(("sampled", s) for s in seeds)]
    wanted += [("vote", vote) for vote in range(votes)]
    jobs = [
        (arm, number, decoding, seed)
        for number in range(len(questions))
        for arm in arms
        for decoding, seed in wanted
    ]
    made: list[GivenAnswer] = []
    for begin in range(0, len(jobs), batch):
        part = jobs[begin : begin + batch]
        asked = []
        for arm, number, decoding, seed in part:
            soft = torch.zeros(0, reader.llm.d)
            if arm in thoughts:
                soft = thoughts[arm][seed % len(thoughts[arm]) if decoding == "vote" else 0][number]
            prompt = _prompt(
                reader, questions[number], len(soft), words[number] if words else "", arm
            )
            hot = decoding != "greedy"
            asked.append(Asked(prompt, soft, float(hot), (seed + 7919 * hot) * 1_000_003 + number))
        texts = answer_all(reader, asked, max_tokens=check.max_tokens)
        for job, one, text in zip(part, asked, texts, strict=True):
            arm, number, decoding, seed = job
            answer = check.read(text)
            made.append(
                GivenAnswer(
                    arm=arm,
                    question=number,
                    decoding=decoding,
                    seed=seed,
                    right=answer is not None and check.right(questions[number], answer),
                    parsed=answer is not None,
                    text=text,
                    tokens=len(one.prompt.ids) + len(reader.llm.ids(text)),
                )
            )
        if told is not None:
            told(len(made), len(jobs))
    return Table(source=source.name, answers=tuple(_voted(made, source)))


def _prompt(reader: SoftReader, question: Example, n: int, words: str, arm: str) -> Prompt:
    """Return the prompt of an arm: the hint stands in one place, in words or as vectors."""
    if arm == "verbal":
        return with_words(reader.llm, question, words)
    return row_of(reader, question, n).prompt


def _voted(answers: Sequence[GivenAnswer], source: Source) -> list[GivenAnswer]:
    """Return the answers with those of a vote replaced by one: the most frequent, the first of equals."""
    kept = [a for a in answers if a.decoding != "vote"]
    polls: dict[tuple[str, int], list[GivenAnswer]] = {}
    for answer in answers:
        if answer.decoding == "vote":
            polls.setdefault((answer.arm, answer.question), []).append(answer)
    for poll in polls.values():
        said = [source.check.read(a.text) for a in poll]
        counts = Counter(s for s in said if s is not None)
        best = counts.most_common(1)[0][0] if counts else None
        first = poll[said.index(best)]
        kept.append(first.model_copy(update={"seed": 0, "tokens": sum(a.tokens for a in poll)}))
    return kept


def _of(answer: GivenAnswer, arm: str, decoding: Decoding) -> bool:
    return answer.arm == arm and answer.decoding == decoding
