"""What a comparison found: for each arm success, score, gain, forgetting, negative transfer, and what it cost.

Gain is stateful minus stateless (Continual Learning Bench, arXiv:2606.05661): the arm less the same without a
memory, paired by task. Forgetting is what the held-out tasks of the first phase lost from the end of that
phase to the end of the stream.
"""

from collections.abc import Mapping, Sequence

from ....envs.types import Measure, Record
from ..kernel.contrasts import (
    Compared,
    Interval,
    PairedDifference,
    interval,
    mean,
    paired_difference,
)
from .contestants import ArmEntry
from .stream_row import StreamRow
from .task_stream import FIRST, LAST, TaskStream


class ArmOnStream(Record):
    """One arm; means are over the tasks that are learned from, the held-out ones count for forgetting alone."""

    says: str
    n: int
    success: Interval
    score: Interval
    gain: PairedDifference | None
    """In the environment's measure, over the arm without its memory; None: that one was not run."""
    forgetting: PairedDifference | None
    """First less last, of the held-out tasks of the first phase; None: there are none."""
    negative_transfer: float | None
    """Share of all tasks that the stateless arm solved and this one did not."""
    by_phase: dict[str, float]
    """The environment's measure by phase, held-out tasks too."""
    tokens_in: float
    """Read per task, learning included."""
    cached: float
    tokens_out: float
    seconds: float
    """Per task, learning included."""


class OnStream(Compared, PairedDifference):
    """Two arms, paired by task, in the environment's measure."""


class CompareReport(Record):
    """All that one comparison found."""

    stream: str
    model: str
    seed: int
    split: str
    shown: int
    """Demonstrations that every arm was shown first."""
    tasks: int
    phases: tuple[str, ...]
    measure: Measure
    fingerprint: dict[str, str]
    arms: dict[str, ArmOnStream]
    contrasts: tuple[OnStream, ...]
    """`memory` (or, without a model, `knn`) less every other arm."""
    seconds: float


def summarise(
    stream: TaskStream,
    entries: Sequence[ArmEntry],
    says: Mapping[str, str],
    rows: Sequence[StreamRow],
    *,
    model: str,
    seed: int,
    split: str,
    measure: Measure,
    fingerprint: tuple[str, str],
    seconds: float,
) -> CompareReport:
    """Return the report of a comparison's rows; rows of other arms are left out."""
    held = {entry.name: {r.number: r for r in rows if r.arm == entry.name} for entry in entries}
    names = list(held)
    ours = next((name for name in ("memory", "knn") if name in held), "")

    def of(entry: ArmEntry) -> ArmOnStream:
        base = held.get(entry.stateless, {})
        return _arm(held[entry.name], base, says[entry.name], measure, seed)

    return CompareReport(
        stream=stream.name,
        model=model,
        seed=seed,
        split=split,
        shown=len(stream.shown),
        tasks=len(stream.items),
        phases=tuple(dict.fromkeys(item.phase for item in stream.items)),
        measure=measure,
        fingerprint={"before": fingerprint[0], "after": fingerprint[1]},
        arms={entry.name: of(entry) for entry in entries},
        contrasts=tuple(
            _contrast(ours, other, held, measure, seed) for other in names if ours and other != ours
        ),
        seconds=round(seconds, 1),
    )


def _arm(
    mine: Mapping[int, StreamRow],
    base: Mapping[int, StreamRow],
    says: str,
    measure: Measure,
    seed: int,
) -> ArmOnStream:
    rows = list(mine.values())
    learned = [row for row in rows if row.learns]
    both = [(row, base[row.number]) for row in learned if row.number in base]
    gain = negative = None
    if both:
        gain = paired_difference(
            [a.value(measure) for a, _ in both], [b.value(measure) for _, b in both], seed=seed
        )
        negative = mean([float(b.value("success") > a.value("success")) for a, b in both])
    first = {row.task_id: row.value(measure) for row in rows if row.phase == FIRST}
    last = {row.task_id: row.value(measure) for row in rows if row.phase == LAST}
    forgetting = None
    if first and first.keys() == last.keys():
        forgetting = paired_difference(
            list(first.values()), [last[task] for task in first], seed=seed
        )
    phases = dict.fromkeys(row.phase for row in rows)
    return ArmOnStream(
        says=says,
        n=len(learned),
        success=interval([row.value("success") for row in learned], seed=seed),
        score=interval([row.score for row in learned], seed=seed),
        gain=gain,
        forgetting=forgetting,
        negative_transfer=negative,
        by_phase={
            phase: mean([row.value(measure) for row in rows if row.phase == phase])
            for phase in phases
        },
        tokens_in=mean([row.tokens_in + row.learning_in for row in rows]),
        cached=mean([row.cached for row in rows]),
        tokens_out=mean([row.tokens_out + row.learning_out for row in rows]),
        seconds=mean([row.seconds + row.learning_seconds for row in rows]),
    )


def _contrast(
    a: str, b: str, held: Mapping[str, Mapping[int, StreamRow]], measure: Measure, seed: int
) -> OnStream:
    both = [n for n, row in held[a].items() if row.learns and n in held[b]]
    found = paired_difference(
        [held[a][n].value(measure) for n in both],
        [held[b][n].value(measure) for n in both],
        seed=seed,
    )
    return OnStream(a=a, b=b, mean=found.mean, ci95=found.ci95)
