"""`lichen bench selection`: effects that differ between kinds of task, recovered from logged propensities.

A synthetic stream whose items are shared by all kinds: each has a general effect and one of its own in every
kind. The rules are one uplift for all tasks, Lichen's by kind (`Credit.uplift`), and its placebo: the same,
told kinds drawn at random. Where kinds do not differ nothing may be lost, where they do something is gained.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....memory.credit.credit import Credit, Exposure
from .machine import machine, version

KINDS, ITEMS, SHOWN = 6, 24, 4
GENERAL = (-0.15, 0.0, 0.0, 0.15)
HOLDOUT = 0.25
SEEDS = 5
OVERALL, BY_KIND, PLACEBO = "one uplift for all tasks", "Lichen, by kind", "placebo: random kinds"


def bench_selection(
    *, episodes: int = 2_000, seed: int = 0, say: Callable[[str], None] = print
) -> dict[str, Any]:
    """Measure how well each rule selects items for kinds of task, and return the table.

    Args:
        episodes: Length of the stream.
        seed: The first of SEEDS.
        say: Told what is going on.

    Returns:
        `{"bench", "version", "machine", "rows", "ratio", "holds"}`; of each rule and difference between kinds
        the Spearman correlation with the true effects, the share of the gain of perfect selection that is
        had by showing what is thought to help, and how often the 95% interval holds the truth. `holds`: by
        kind gains where kinds differ, loses less than 0.05 where they do not, and its placebo gains nothing.
    """
    rows: list[dict[str, Any]] = []
    for difference in (0.0, 0.1, 0.2):
        say(f"{SEEDS} streams of {episodes} episodes, kinds differ by {difference} ...")
        runs = [_recovered(seed + i, episodes, difference) for i in range(SEEDS)]
        for rule in runs[0]:
            found = np.array([run[rule] for run in runs])
            rows.append(
                {
                    "what": rule,
                    "kinds differ by": difference,
                    "spearman": float(found[:, 0].mean()),
                    "gain had": float(found[:, 1].mean()),
                    "+-": float(found[:, 1].std()),
                    "covered": float(found[:, 2].mean()),
                }
            )
    had = {(row["what"], row["kinds differ by"]): row["gain had"] for row in rows}
    holds = had[BY_KIND, 0.2] > had[OVERALL, 0.2] + 0.1
    holds = holds and had[BY_KIND, 0.0] > had[OVERALL, 0.0] - 0.05
    holds = holds and had[PLACEBO, 0.2] < had[OVERALL, 0.2] + 0.05
    return {
        "bench": "selection",
        "version": version(),
        "machine": machine(),
        "rows": rows,
        "ratio": had[BY_KIND, 0.2] / max(had[OVERALL, 0.2], 1e-9),
        "holds": bool(holds),
    }


def _recovered(seed: int, episodes: int, difference: float) -> dict[str, NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    base = rng.uniform(0.3, 0.7, KINDS)
    truth = rng.choice(GENERAL, ITEMS)[None, :]
    truth = truth + rng.choice([-difference, difference], (KINDS, ITEMS))
    credit, random = Credit(), Credit()
    for _ in range(episodes):
        kind = int(rng.integers(KINDS))
        seen = [
            Exposure(item=str(item), exposed=bool(rng.random() >= HOLDOUT), propensity=1 - HOLDOUT)
            for item in rng.choice(ITEMS, SHOWN, replace=False)
        ]
        shown = [int(one.item) for one in seen if one.exposed]
        chance = float(np.clip(base[kind] + truth[kind, shown].sum(), 0.02, 0.98))
        outcome = float(rng.random() < chance)
        credit.observe(str(kind), seen, outcome)
        random.observe(str(int(rng.integers(KINDS))), seen, outcome)
    return {
        OVERALL: _scored(credit, truth, by_kind=False),
        BY_KIND: _scored(credit, truth, by_kind=True),
        PLACEBO: _scored(random, truth, by_kind=True),
    }


def _scored(credit: Credit, truth: NDArray[np.float64], *, by_kind: bool) -> NDArray[np.float64]:
    from scipy.stats import spearmanr

    known = [
        [credit.uplift(str(item), str(kind) if by_kind else "") for item in range(ITEMS)]
        for kind in range(KINDS)
    ]
    means = np.array([[one.mean for one in row] for row in known])
    low = np.array([[one.low for one in row] for row in known])
    high = np.array([[one.high for one in row] for row in known])
    best = np.where(truth > 0, truth, 0.0).mean()
    had = np.where(means > 0, truth, 0.0).mean()
    inside = (low <= truth) & (truth <= high)
    return np.array([spearmanr(means.ravel(), truth.ravel())[0], had / best, inside.mean()])
