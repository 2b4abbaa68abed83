"""What a run of a stream came to, as a record; knows the results and no model."""

from collections.abc import Mapping, Sequence

import numpy as np

from ....envs.types import Record
from ..kernel.contrasts import Compared, Interval, against
from .stream import Stream
from .stream_metrics import Measures, Right, measure, paired
from .stream_run import StageResult


class Spent(Record):
    """What an arm cost over the whole stream."""

    weights: int
    """Numbers that gradients change."""
    targets: tuple[int, ...]
    """Decisions that were learned from, by stage."""
    steps: int
    """Gradient steps."""
    learning_tokens: int
    """Tokens through a model for learning."""
    learning_seconds: float
    decision_tokens: float
    """Tokens through a model for one decision after the last stage, on average (assistant included)."""
    decision_seconds: float
    evaluation_tokens: int
    """Of all decisions that were evaluated."""
    evaluation_seconds: float


class ArmReport(Record):
    """One arm."""

    name: str
    measures: Measures
    drift: tuple[float, ...]
    """KL(base || arm) on off-stream text as the arm is used there, nats a token, after stages 0 to T."""
    drift_forced: tuple[float | None, ...]
    """The same with what was learned put in anyway (see `arms.Drift`)."""
    losses: tuple[tuple[float, ...], ...]
    """Mean training loss of every epoch, by stage."""
    spent: Spent
    notes: tuple[str, ...] = ()
    """By stage, where there is something to say."""


class AccuracyContrast(Compared):
    """The difference of two arms' accuracies after the last stage, paired by decision."""

    difference: Interval

    @property
    def holds(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.difference.low > 0 or self.difference.high < 0


class ContinualReport(Record):
    """A stream learned in several ways by one frozen LLM: next-action accuracy in an expert's states."""

    stream: str
    model: str
    families: tuple[str, ...]
    """In the order in which they were learned."""
    split: str
    seed: int
    learned_from: tuple[int, ...]
    """Decisions to learn from, by family."""
    decisions: int
    """Held-out decisions of each family."""
    chance: tuple[float, ...]
    """Accuracy of an action drawn at random, by family."""
    fingerprint: str
    """Of the base model, before and after."""
    arms: tuple[ArmReport, ...]
    contrasts: tuple[AccuracyContrast, ...]


def summarise(
    stream: Stream,
    results: Mapping[str, Sequence[StageResult]],
    *,
    model: str,
    fingerprint: str,
    split: str,
    seed: int,
) -> ContinualReport:
    """Return the report of a finished run.

    Args:
        stream: What was learned.
        results: T + 1 results of each arm (see `stream_run.run_stream`).
        model: As the user called it.
        fingerprint: Of the base model.
        split: Where the held-out decisions come from.
        seed: Of the run and of the resampling.
    """
    right = {name: rights(stream, found) for name, found in results.items()}
    pairs = [(name, "none") for name in results if name != "none"]
    if "memory" in results:
        pairs += against("memory", [name for name in results if name != "none"])
    return ContinualReport(
        stream=stream.name,
        model=model,
        families=stream.families,
        split=split,
        seed=seed,
        learned_from=tuple(map(len, stream.learning)),
        decisions=len(stream.held[0]),
        chance=tuple(
            float(np.mean([1 / len(item.seen.admissible or "-") for item in items]))
            for items in stream.held
        ),
        fingerprint=fingerprint,
        arms=tuple(_arm(name, right[name], found, seed) for name, found in results.items()),
        contrasts=tuple(
            AccuracyContrast(a=a, b=b, difference=paired(right[a], right[b], seed=seed))
            for a, b in pairs
        ),
    )


def rights(stream: Stream, results: Sequence[StageResult]) -> Right:
    """Return where the gold action was chosen, shape (stages, T, n)."""
    gold = [[item.gold for item in items] for items in stream.held]
    return np.array(
        [
            [
                [action == wanted for action, wanted in zip(ours, theirs, strict=True)]
                for ours, theirs in zip(result.chosen, gold, strict=True)
            ]
            for result in results
        ]
    )


def _arm(name: str, right: Right, results: Sequence[StageResult], seed: int) -> ArmReport:
    learned = [result.learned for result in results if result.learned is not None]
    asked = results[1:] if learned else results[:1]
    decisions, last = right[0].size, results[-1]
    return ArmReport(
        name=name,
        measures=measure(right, seed=seed),
        drift=tuple(result.drift.silent for result in results),
        drift_forced=tuple(result.drift.forced for result in results),
        losses=tuple(stage.losses for stage in learned),
        spent=Spent(
            weights=last.weights,
            targets=tuple(stage.targets for stage in learned),
            steps=sum(stage.steps for stage in learned),
            learning_tokens=sum(stage.tokens for stage in learned),
            learning_seconds=round(sum(stage.seconds for stage in learned), 2),
            decision_tokens=round(last.tokens / decisions, 1),
            decision_seconds=round(last.seconds / decisions, 3),
            evaluation_tokens=sum(result.tokens for result in asked),
            evaluation_seconds=round(sum(result.seconds for result in asked), 2),
        ),
        notes=tuple(
            f"stage {number}: {stage.note}"
            for number, stage in enumerate(learned, start=1)
            if stage.note
        ),
    )
