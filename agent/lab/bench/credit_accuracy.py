"""`lichen bench credit` and `lichen bench harm`: credit and the gate in a world whose true effects are known.

Contexts have a difficulty, each holds items whose true effects on success are drawn from -0.15, 0, 0 and
+0.15, and every episode considers four items of its context. With fixed groups the same four always come
together: what tells them apart is only that single ones are held out.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....memory.credit.credit import Credit, Exposure
from ....memory.credit.exposure import HarmGate
from ....memory.credit.judge_rates import JudgeRates
from .machine import machine, version

CONTEXTS, ITEMS, SHOWN = 10, 12, 4
EFFECT, POISON = 0.15, 0.3
HOLDOUT = 0.1
FLIPS, CHECKED = 0.25, 400
"""Share of the verdicts that a noisy judge gets wrong, and tasks on which it is checked."""
SEEDS = 5


class CreditWorld:
    """A synthetic stream of tasks.

    Args:
        rng: Draws difficulties, effects and episodes.
        effects: Drawn for every item; uniformly.
        fixed: Whether the same items are always recalled together.
    """

    def __init__(
        self, rng: np.random.Generator, effects: Sequence[float], *, fixed: bool = True
    ) -> None:
        self._rng, self._fixed = rng, fixed
        self.base = rng.uniform(0.15, 0.85, CONTEXTS)
        self.effects: NDArray[np.float64] = rng.choice(effects, size=(CONTEXTS, ITEMS))

    def recall(self) -> tuple[int, list[int]]:
        """Return the next episode's context and the items that are considered."""
        context = int(self._rng.integers(CONTEXTS))
        if self._fixed:
            first = int(self._rng.integers(ITEMS // SHOWN)) * SHOWN
            return context, list(range(first, first + SHOWN))
        return context, [int(i) for i in self._rng.choice(ITEMS, SHOWN, replace=False)]

    def chance(self, context: int, shown: Sequence[int]) -> float:
        """Return the probability of success when these items are exposed."""
        wanted = self.base[context] + self.effects[context, list(shown)].sum()
        return float(np.clip(wanted, 0.02, 0.98))


def name(context: int, item: int) -> str:
    """Return the id of an item."""
    return f"{context}-{item}"


def bench_credit(
    *,
    episodes: Sequence[int] = (4_000, 16_000),
    holdout: float = 0.25,
    fixed: bool = True,
    seed: int = 0,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Measure how well each rule recovers the true effects, and return the table.

    Args:
        episodes: Lengths of the stream.
        holdout: Probability with which a single item is held out.
        fixed: Whether the same items are always recalled together.
        seed: The first of SEEDS.
        say: Told what is going on.

    Returns:
        `{"bench", "version", "machine", "rows", "ratio", "holds"}`: Spearman correlation with the true
        effects, and the precision of finding the harmful ones, mean over seeds; `holds` for >= 0.75 and
        >= 0.85 at 16,000 episodes and a correlation >= 0.65 at 4,000, and when the uplifts that are learned
        from a judge with FLIPS wrong verdicts, corrected, are off by less than 0.03.
    """
    rows: list[dict[str, Any]] = []
    for length in episodes:
        say(f"{SEEDS} streams of {length} episodes ...")
        runs = [_recover(seed + i, length, holdout, fixed) for i in range(SEEDS)]
        for rule in runs[0]:
            spearman = [run[rule][0] for run in runs]
            precision = [run[rule][1] for run in runs]
            rows.append(
                {
                    "what": rule,
                    "episodes": length,
                    "spearman": float(np.mean(spearman)),
                    "+-": float(np.std(spearman)),
                    "precision of harmful": float(np.mean(precision)),
                    "+- ": float(np.std(precision)),
                }
            )
    ours = {row["episodes"]: row for row in rows if row["what"] == OURS}
    say(f"{SEEDS} streams judged with {FLIPS:.0%} wrong verdicts ...")
    noisy = [_flipped(seed + i, max(episodes), holdout, fixed) for i in range(SEEDS)]
    for rule in noisy[0]:
        bias = [run[rule] for run in noisy]
        rows.append(
            {
                "what": rule,
                "episodes": max(episodes),
                "bias of uplift": float(np.mean(bias)),
                "+-": float(np.std(bias)),
            }
        )
    last = ours[max(ours)]
    holds = last["spearman"] >= 0.75 and last["precision of harmful"] >= 0.85
    holds = holds and all(row["spearman"] >= 0.65 for row in ours.values())
    holds = holds and abs(rows[-1]["bias of uplift"]) < 0.03
    return {
        "bench": "credit",
        "version": version(),
        "machine": machine(),
        "rows": rows,
        "ratio": last["spearman"],
        "holds": holds,
    }


def _held_out(
    context: int, items: Sequence[int], share: float, rng: np.random.Generator
) -> list[Exposure]:
    """Return which items are shown, each held out at random."""
    return [
        Exposure(
            item=name(context, item),
            exposed=bool(rng.random() >= share),
            propensity=1 - share,
        )
        for item in items
    ]


OURS = "Lichen: held out, doubly robust"


def _recover(seed: int, length: int, holdout: float, fixed: bool) -> dict[str, tuple[float, float]]:
    from scipy.stats import spearmanr

    rng = np.random.default_rng(seed)
    world = CreditWorld(rng, (-EFFECT, 0.0, 0.0, EFFECT), fixed=fixed)
    credit = Credit()
    moving = np.full((CONTEXTS, ITEMS), 0.5)
    total, count = np.zeros((CONTEXTS, ITEMS)), np.zeros((CONTEXTS, ITEMS))
    for _ in range(length):
        context, items = world.recall()
        outcome = float(rng.random() < world.chance(context, items))  # the others show everything
        for item in items:
            moving[context, item] += 0.3 * (outcome - moving[context, item])
        total[context, items] += outcome
        count[context, items] += 1
        seen = _held_out(context, items, holdout, rng)
        shown = [item for item, e in zip(items, seen, strict=True) if e.exposed]
        credit.observe(str(context), seen, float(rng.random() < world.chance(context, shown)))
    ours = np.array(
        [[credit.uplift(name(c, i)).mean for i in range(ITEMS)] for c in range(CONTEXTS)]
    )
    truth = world.effects.ravel()
    found = {}
    for rule, values in (
        (OURS, ours),
        ("moving average of outcomes (MemRL)", moving),
        ("mean outcome of its episodes (Memento's label)", total / np.maximum(count, 1)),
    ):
        worst = np.argsort(values.ravel(), kind="stable")[: int((truth < 0).sum())]
        found[rule] = (float(spearmanr(values.ravel(), truth)[0]), float((truth[worst] < 0).mean()))
    return found


def _flipped(seed: int, length: int, holdout: float, fixed: bool) -> dict[str, float]:
    """Return by how much uplifts are too strong (or, below zero, too weak), with true and noisy outcomes."""
    rng = np.random.default_rng([seed, 1])
    world = CreditWorld(rng, (-EFFECT, 0.0, 0.0, EFFECT), fixed=fixed)
    judge = JudgeRates()
    for truth in rng.random(CHECKED) < 0.5:
        judge.observe(bool(truth != (rng.random() < FLIPS)), bool(truth))
    rules = ("true outcomes", "noisy judge, believed", "noisy judge, corrected")
    learned = [Credit() for _ in rules]
    for _ in range(length):
        context, items = world.recall()
        seen = _held_out(context, items, holdout, rng)
        shown = [item for item, e in zip(items, seen, strict=True) if e.exposed]
        won = bool(rng.random() < world.chance(context, shown))
        said = float(won != (rng.random() < FLIPS))
        better = judge.corrected(said)
        assert better is not None
        for credit, outcome in zip(learned, (float(won), said, better), strict=True):
            credit.observe(str(context), seen, outcome)
    truth = world.effects.ravel()
    told = np.abs(truth) > 0
    found = {}
    for rule, credit in zip(rules, learned, strict=True):
        means = np.array(
            [credit.uplift(name(c, i)).mean for c in range(CONTEXTS) for i in range(ITEMS)]
        )
        found[rule] = float(np.mean(np.sign(truth[told]) * (means[told] - truth[told])))
    return found


def bench_harm(
    *,
    poison: float = 0.3,
    episodes: int = 16_000,
    seed: int = 0,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Measure what a memory with wrong cases does, with and without the gate, and return the table.

    Every episode is played with the same luck in all arms, so that what is lost is paired.

    Args:
        poison: Share of the items that hurt (by POISON; the rest help by EFFECT or do nothing).
        episodes: Length of the stream; the second half is reported beside the whole.
        seed: The first of SEEDS.
        say: Told what is going on.

    Returns:
        `{"bench", "version", "machine", "rows", "ratio", "holds"}`; NTR is the share of episodes that
        succeed without memory and fail with it. `holds`: gated within a point of no memory and NTR <= 1% in
        the second half, while ungated is not.
    """
    say(f"{SEEDS} streams of {episodes} episodes, {poison:.0%} of the items wrong ...")
    runs = [_harmed(seed + i, episodes, poison) for i in range(SEEDS)]
    rows: list[dict[str, Any]] = []
    for arm in runs[0]:
        mean = np.mean([run[arm] for run in runs], axis=0)
        rows.append(
            {
                "what": arm,
                "success": float(mean[0]),
                "NTR": float(mean[1]),
                "success, 2nd half": float(mean[2]),
                "NTR, 2nd half": float(mean[3]),
            }
        )
    none, ungated, gated = rows

    def harmless(row: dict[str, Any]) -> bool:
        late = "success, 2nd half"
        return bool(row[late] >= none[late] - 0.01 and row["NTR, 2nd half"] <= 0.01)

    return {
        "bench": "harm",
        "version": version(),
        "machine": machine(),
        "rows": rows,
        "ratio": gated["success, 2nd half"] / none["success, 2nd half"],
        "holds": harmless(gated) and not harmless(ungated),
    }


def _harmed(seed: int, episodes: int, poison: float) -> dict[str, list[float]]:
    rng = np.random.default_rng(seed)
    world = CreditWorld(rng, (EFFECT, 0.0))
    wrong = rng.random((CONTEXTS, ITEMS)) < poison
    world.effects = np.where(wrong, -POISON, world.effects)
    credit = Credit()
    gate = HarmGate(rule="proven")
    arms = ("no memory", "ungated: all are shown", "gated")
    wins = np.zeros((len(arms), episodes), bool)
    for t in range(episodes):
        context, items = world.recall()
        luck = rng.random()
        chances = [
            gate.propensity(credit.uplift(name(context, item)), HOLDOUT, learn=True)
            for item in items
        ]
        seen = [
            Exposure(
                item=name(context, item), exposed=bool(draw < chance), propensity=max(chance, 1e-9)
            )
            for item, chance, draw in zip(items, chances, rng.random(len(items)), strict=True)
        ]
        shown = [item for item, e in zip(items, seen, strict=True) if e.exposed]
        for row, exposed in enumerate(([], items, shown)):
            wins[row, t] = luck < world.chance(context, exposed)
        credit.observe(str(context), seen, float(wins[2, t]))
    half = episodes // 2
    lost = wins[0] & ~wins
    return {
        arm: [
            float(wins[i].mean()),
            float(lost[i].mean()),
            float(wins[i, half:].mean()),
            float(lost[i, half:].mean()),
        ]
        for i, arm in enumerate(arms)
    }
