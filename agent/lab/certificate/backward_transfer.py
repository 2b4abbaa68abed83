"""What a growing memory costs what was known before: backward transfer and negative flips.

Knows results by stage and nothing of where they come from: the rows of an evaluation are one source (its
checkpoints are the stages); any other gives `Scored` records.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from ....envs.types import Record
from ....memory.credit.intervals import estimate
from ..heldout.episode_row import EpisodeRow
from ..heldout.policy_arms import ARMS


class Scored(Record):
    """The result of one item at one stage."""

    arm: str
    stage: int
    item: str
    family: str
    score: float
    right: bool


class Kept(Record):
    """What an arm kept of what it could at earlier stages, in one family or (empty name) in all."""

    arm: str
    family: str
    n: int
    """Items with a result at the last stage and an earlier one."""
    bwt: float
    """Mean over items of: score at the last stage, minus the mean score at the earlier ones."""
    bwt_ci95: tuple[float, float]
    was_right: int
    """Items that were right at some earlier stage."""
    flipped: tuple[str, ...]
    """Those of them that are wrong at the last."""
    nfr: float
    """Their share; 0 where nothing was right."""
    nfr_ci95: tuple[float, float]
    """By bootstrap over those items."""
    nfr_exact95: tuple[float, float]
    """The exact binomial interval (Clopper and Pearson 1934): no flip among few items is no proof of none."""


def scored(rows: Iterable[EpisodeRow]) -> list[Scored]:
    """Return an evaluation's rows of arms with an honest memory as results by checkpoint."""
    return [
        Scored(
            arm=row.arm,
            stage=row.checkpoint,
            item=row.task_id,
            family=row.family,
            score=row.score,
            right=row.outcome == "success",
        )
        for row in rows
        if row.outcome != "unknown" and row.arm in ARMS
        if ARMS[row.arm].memory and not ARMS[row.arm].placebo
    ]


def kept(results: Sequence[Scored], *, seed: int) -> list[Kept]:
    """Return what every arm kept, all families together and, where there are more, each.

    Args:
        results: Of any number of arms; one with a single stage is left out.
        seed: Of the bootstrap over items.
    """
    found = []
    for arm in sorted({result.arm for result in results}):
        held = [result for result in results if result.arm == arm]
        last = max(result.stage for result in held)
        families = sorted({result.family for result in held})
        for family in ("", *(families if len(families) > 1 else ())):
            chosen = [r for r in held if not family or r.family == family]
            one = _kept(arm, family, chosen, last, seed)
            found += [one] if one is not None else []
    return found


def _kept(arm: str, family: str, results: Sequence[Scored], last: int, seed: int) -> Kept | None:
    now = {result.item: result for result in results if result.stage == last}
    before: defaultdict[str, list[Scored]] = defaultdict(list)
    for result in results:
        if result.stage < last and result.item in now:
            before[result.item].append(result)
    if not before:
        return None
    moved = estimate(
        [
            now[item].score - sum(r.score for r in earlier) / len(earlier)
            for item, earlier in before.items()
        ],
        seed=seed,
    )
    right = [item for item, earlier in before.items() if any(r.right for r in earlier)]
    from scipy.stats import binomtest

    flips = estimate([float(not now[item].right) for item in right] or [0.0], seed=seed)
    lost = tuple(item for item in right if not now[item].right)
    exact = binomtest(len(lost), len(right)).proportion_ci() if right else (0.0, 1.0)
    return Kept(
        arm=arm,
        family=family,
        n=len(before),
        bwt=moved.mean,
        bwt_ci95=(moved.low, moved.high),
        was_right=len(right),
        flipped=lost,
        nfr=flips.mean,
        nfr_ci95=(flips.low, flips.high),
        nfr_exact95=(float(exact[0]), float(exact[1])),
    )
