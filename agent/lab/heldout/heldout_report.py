"""What an evaluation found: numbers for programs, a sentence and a table for people.

`Report` is the JSON of design.md section 5; pictures are drawn elsewhere.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from pydantic import Field

from ....envs.types import Measure, Record
from ....memory.credit.intervals import estimate
from ..kernel.contrasts import (
    Compared,
    PairedDifference,
    against,
    difference,
    mean,
    paired_difference,
    tasks_of_both,
)
from .episode_row import EpisodeRow
from .policy_arms import ARMS


class ArmAtCheckpoint(Record):
    """One arm at one checkpoint."""

    n: int
    """Tasks with a known outcome."""
    unknown: int
    """Tasks that crashed; they count nowhere else."""
    success: float
    score: float
    steps: float
    tokens: float
    """Model tokens per episode, in and out."""
    tokens_in: float | None = None
    """Of those, what was read: prompts; None in reports of before this field."""
    tokens_out: float | None = None
    """And what was generated."""
    cached: float = 0.0
    """Of what was read: from the server's prefix cache."""
    cost: float = 0.0
    """Dollars per episode; 0 where the model has no price."""
    ci95: tuple[float, float]
    """Of the success, by bootstrap over tasks."""
    score_ci95: tuple[float, float]
    kl: float | None
    """Mean KL(pi_M || pi_LLM) per decision, in nats."""
    by_family: dict[str, float]
    """Success by family."""
    score_by_family: dict[str, float]


class ArmContrast(Compared):
    """The paired difference of two arms at a checkpoint."""

    checkpoint: int
    measure: str
    n: int
    diff: float
    ci95: tuple[float, float]
    lost: float = 0.0
    """Share of the tasks that b solved and a did not; against `none` the negative-transfer rate (NTR)."""
    by_family: dict[str, PairedDifference] = Field(default_factory=dict)
    """The same by family of tasks; where an interval is above 0, this family alone shows it."""

    @property
    def holds(self) -> bool:
        """Whether the whole interval is above 0."""
        return self.ci95[0] > 0


class Report(Record):
    """All that one evaluation found."""

    suite: str
    learn: str
    split: str
    model: str
    seed: int
    fingerprint: dict[str, str]
    arms: dict[str, dict[int, ArmAtCheckpoint]]
    contrasts: tuple[ArmContrast, ...]
    drift: dict[str, Any]
    seconds: float
    measure: Measure = "success"
    """What the environment has; see `Environment.measure`."""

    def sentence(self) -> str:
        """Return what memory gained over the other arms at the last checkpoint, in words."""
        last = max((c.checkpoint for c in self.contrasts), default=0)
        parts = self._gains(_base(self.arms), last)
        before, after = self.fingerprint["before"], self.fingerprint["after"]
        if before != after:
            frozen = "THE MODEL'S FINGERPRINT CHANGED"
        elif before:
            frozen = f"the model's fingerprint {before[:12]} did not change"
        else:
            frozen = "no model was asked"
        if not parts:
            return f"No arm to compare with; {frozen}."
        kind = "demonstrations" if self.learn == "demonstrations" else "episodes of its own"
        said = f"After {last} {kind}, memory gained {' and '.join(parts)} in {self.measure}"
        if skills := self._gains("+skills", last):
            said += f"; its skills gained {' and '.join(skills)}"
        return f"{said}; {frozen}."

    def _gains(self, arm: str, point: int) -> list[str]:
        return [
            f"{c.diff:+.2f} over {c.b} (95% interval {c.ci95[0]:+.2f} to {c.ci95[1]:+.2f})"
            for c in self.contrasts
            if (c.checkpoint, c.measure, c.a) == (point, self.measure, arm)
        ]

    def contrast(self, a: str, b: str, measure: str = "success") -> "ArmContrast | None":
        """Return a difference at the last checkpoint; None where it was not taken."""
        found = [c for c in self.contrasts if (c.a, c.b, c.measure) == (a, b, measure)]
        return max(found, key=lambda c: c.checkpoint, default=None)

    @property
    def skills_hold(self) -> bool:
        """Whether skills help, by their interval over memory alone, and their placebo does not do as well."""
        gain, real = (self.contrast("+skills", b) for b in ("memory", "+skills-placebo"))
        return gain is not None and gain.holds and real is not None and real.diff > 0


def summarise(
    *,
    plan_name: str,
    learn: str,
    split: str,
    model: str,
    seed: int,
    arms: Sequence[str],
    checkpoints: Sequence[int],
    tasks: Sequence[str],
    rows: Sequence[EpisodeRow],
    fingerprint: tuple[str, str],
    seconds: float,
    measure: Measure = "success",
) -> Report:
    """Return the report of an evaluation's rows; rows of other tasks, arms or checkpoints are left out."""
    wanted = set(tasks)
    cells: defaultdict[tuple[str, int], dict[str, EpisodeRow]] = defaultdict(dict)
    for row in rows:
        if row.task_id in wanted and row.arm in arms:
            cells[row.arm, row.checkpoint][row.task_id] = row
    found: dict[str, dict[int, ArmAtCheckpoint]] = {}
    for arm in arms:
        points = [p for p in checkpoints if (arm, p) in cells] or ([0] if (arm, 0) in cells else [])
        found[arm] = {p: _cell(list(cells[arm, p].values()), len(tasks), seed) for p in points}
    contrasts = []
    for point in checkpoints:
        for one, other in _pairs(arms):
            mine = cells.get((one, point))
            theirs = cells.get((other, point if other not in ARMS or ARMS[other].grows else 0))
            if not mine or not theirs or (point == 0 and one in ("memory", "knn")):
                continue
            contrasts.extend(_contrasts(one, other, point, mine, theirs, seed))
    kl = {str(p): cell.kl for p, cell in found.get("memory", {}).items() if cell.kl is not None}
    return Report(
        suite=plan_name,
        learn=learn,
        split=split,
        model=model,
        seed=seed,
        fingerprint={"before": fingerprint[0], "after": fingerprint[1]},
        arms=found,
        contrasts=tuple(contrasts),
        drift={"policy_kl_nats": kl, "weights": 0.0 if fingerprint[0] == fingerprint[1] else None},
        seconds=round(seconds, 1),
        measure=measure,
    )


def _cell(rows: list[EpisodeRow], tasks: int, seed: int) -> ArmAtCheckpoint:
    wins = [float(row.outcome == "success") for row in rows]
    success = estimate(wins, seed=seed)
    score = estimate([row.score for row in rows], seed=seed)
    families: defaultdict[str, list[EpisodeRow]] = defaultdict(list)
    for row in rows:
        families[row.family].append(row)
    kls = [row.kl for row in rows if row.kl is not None]
    return ArmAtCheckpoint(
        n=len(rows),
        unknown=tasks - len(rows),
        success=success.mean,
        score=score.mean,
        steps=mean([row.steps for row in rows]),
        tokens=mean([row.tokens_in + row.tokens_out for row in rows]),
        tokens_in=mean([row.tokens_in for row in rows]),
        tokens_out=mean([row.tokens_out for row in rows]),
        cached=mean([row.cached for row in rows]),
        cost=mean([row.cost for row in rows]),
        ci95=(success.low, success.high),
        score_ci95=(score.low, score.high),
        kl=mean(kls) if kls else None,
        by_family={
            name: mean([float(r.outcome == "success") for r in held])
            for name, held in sorted(families.items())
        },
        score_by_family={
            name: mean([r.score for r in held]) for name, held in sorted(families.items())
        },
    )


def _base(arms: Collection[str]) -> str:
    """Return the arm that the others are compared with: memory, without the model where none is asked."""
    return "memory" if "memory" in arms or "knn" not in arms else "knn"


def _pairs(arms: Sequence[str]) -> list[tuple[str, str]]:
    """Return which arms are compared: memory with all others, skills with what says what they are worth."""
    plain = [arm for arm in arms if arm == "+skills" or not arm.startswith("+skills")]
    found = against(_base(plain), plain)
    if "+skills" in arms:
        found += [("+skills", other) for other in arms if other == "memory" or other not in plain]
    if "+skills-placebo" in arms:
        found += [("+skills-placebo", other) for other in arms if other == "memory"]
    return found


def _contrasts(
    one: str,
    other: str,
    point: int,
    mine: dict[str, EpisodeRow],
    theirs: dict[str, EpisodeRow],
    seed: int,
) -> list[ArmContrast]:
    both = tasks_of_both(mine, theirs)
    if not both:
        return []

    def values(measure: str, rows: dict[str, EpisodeRow]) -> list[float]:
        if measure == "success":
            return [float(rows[task].outcome == "success") for task in both]
        return [rows[task].score for task in both]

    won, theirs_won = values("success", mine), values("success", theirs)
    lost = mean([float(a < b) for a, b in zip(won, theirs_won, strict=True)])

    families = [mine[task].family for task in both]

    def of_family(measure: str, family: str) -> PairedDifference:
        one, two = (
            [v for v, name in zip(values(measure, rows), families, strict=True) if name == family]
            for rows in (mine, theirs)
        )
        return paired_difference(one, two, seed=seed)

    def contrast(measure: str) -> ArmContrast:
        found = difference(values(measure, mine), values(measure, theirs), seed=seed)
        return ArmContrast(
            a=one,
            b=other,
            checkpoint=point,
            measure=measure,
            n=len(both),
            diff=found.mean,
            ci95=(found.low, found.high),
            lost=lost,
            by_family={f: of_family(measure, f) for f in sorted(set(families))},
        )

    return [contrast("success"), contrast("score")]
