"""The gate: for each kind of task a hint is on only where it is shown to help on held-out decisions.

Soft thoughts must beat no hint, the hint in words, random vectors of the same norms, the mean thought and the
thought of another decision, each with a lower bound above 0 (an intersection-union test: each at its own
level, no correction needed); else the words, if they beat no hint and the words of another decision; else off.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch

from ...memory.credit.intervals import estimate_by_group
from ...memory.ledger.records import StepCase
from ..llm.frozen import Frozen
from ..llm.option_scores import PrefixCache, score
from ..llm.slots import in_words
from ..llm.soft_blocks import cue_block
from ..llm.soft_reader import SoftReader
from ..llm.thought import Mode
from .controls import CONTROLS, control
from .gate_record import Contrast, FamilyGate
from .projection import Projection
from .soft_assistant import SoftAssistant
from .soft_config import Example
from .verbal_hints import verbal_hints

LEAST = 8
"""Decisions of a kind of task below which its gate stays shut."""
LEAST_TASKS = 6
"""Different tasks below which it stays shut: decisions of one episode are not independent."""


class GateDecision(NamedTuple):
    """A remembered decision with what else could have been done."""

    example: Example
    options: tuple[str, ...]
    """The right one first."""


def decision(example: Example, step: StepCase) -> GateDecision:
    """Return a remembered step as a decision among what was offered."""
    right = example.target
    others = [f" {action}\n" for action in step.offered if action.strip() != step.action.strip()]
    return GateDecision(example, (right, *dict.fromkeys(o for o in others if o != right)))


def measure(
    decisions: Sequence[GateDecision],
    *,
    llm: Frozen,
    assistant: SoftAssistant,
    projection: Projection,
    n: int,
    most: int,
    seed: int,
    told: Callable[[int, int], None] | None = None,
) -> tuple[tuple[FamilyGate, ...], int]:
    """Return the verdict on every kind of task among decisions that the projection did not learn from.

    Args:
        decisions: Oldest first.
        llm: The frozen model.
        assistant: Thinks.
        projection: Of its states.
        n: Soft thoughts.
        most: Decisions of each kind, the newest.
        seed: Of the controls.
        told: Told of the decisions done, and of all.

    Returns:
        The verdicts, and how many tokens they cost.
    """
    kinds: dict[str, list[GateDecision]] = {}
    for one in decisions:
        if len(one.options) > 1:
            kinds.setdefault(one.example.family, []).append(one)
    kept = {family: found[-most:] for family, found in sorted(kinds.items())}
    total, done, tokens = sum(map(len, kept.values())), 0, 0
    found = []
    for family, ones in kept.items():
        of = [one.example.task or one.example.episode or str(i) for i, one in enumerate(ones)]
        tasks = len(set(of))
        if len(ones) < LEAST or tasks < LEAST_TASKS:
            found.append(FamilyGate(family=family, mode="off", n=len(ones), tasks=tasks))
            continue
        seen = [one.example.assistant_sees for one in ones]
        before = assistant.tokens
        with torch.no_grad():
            soft = projection(assistant.states(seen, n))
        thoughts: dict[str, torch.Tensor] = {"soft": soft}
        for kind in CONTROLS:
            thoughts[kind] = control(kind, soft, seed=seed)
        writer = SoftReader(assistant.frozen)
        words = verbal_hints(assistant.frozen, seen, reader=writer)
        tokens += assistant.tokens - before + writer.tokens
        table: dict[str, list[float]] = {}
        for number, one in enumerate(ones):
            hints: dict[str, torch.Tensor | str] = {kind: v[number] for kind, v in thoughts.items()}
            hints |= {"none": "", "verbal": words[number], "other words": words[number - 1]}
            prefix = PrefixCache()  # the head of the prompt is the same in every arm
            for arm in sorted(hints):
                chance, read = probability(llm, prefix, one, hints[arm])
                table.setdefault(arm, []).append(chance)
                tokens += read
            done += 1
            if told is not None:
                told(done, total)
        found.append(_verdict(family, table, of))
    return tuple(found), tokens


def probability(
    llm: Frozen, prefix: PrefixCache, one: GateDecision, hint: torch.Tensor | str
) -> tuple[float, int]:
    """Return the probability of the right action among those offered, and how many tokens were computed."""
    options = [llm.ids(option) for option in one.options]
    prompt = one.example.question
    if isinstance(hint, str):
        ids = llm.raw_ids(in_words(prompt, hint) if hint else prompt)
        log, read = score(llm.model, prefix, ids, options)
    else:
        ids, block = cue_block(llm.name, llm.model, llm.tokenizer, prompt, hint)
        log, read = score(llm.model, prefix, ids, options, block=block)
    weights = np.exp(log - log.max())
    return float(weights[0] / weights.sum()), read


def _verdict(family: str, table: dict[str, list[float]], of: Sequence[str]) -> FamilyGate:
    """Return the verdict; `of` names the task of each decision, and the bootstrap is over tasks."""

    def contrasts(arm: str, others: Sequence[str]) -> tuple[Contrast, ...]:
        found = []
        for other in others:
            pairs = zip(table[arm], table[other], strict=True)
            got = estimate_by_group([ours - theirs for ours, theirs in pairs], of, seed=0)
            found.append(Contrast(against=other, diff=got.mean, ci95=(got.low, got.high)))
        return tuple(found)

    soft = contrasts("soft", ("none", "verbal", *CONTROLS))
    verbal = contrasts("verbal", ("none", "other words"))
    mode: Mode = "off"
    if all(contrast.holds for contrast in soft):
        mode = "soft"
    elif all(contrast.holds for contrast in verbal):
        mode = "verbal"
    return FamilyGate(
        family=family,
        mode=mode,
        n=len(table["soft"]),
        tasks=len(set(of)),
        soft=soft,
        verbal=verbal,
        probability={arm: float(np.mean(chances)) for arm, chances in sorted(table.items())},
    )
