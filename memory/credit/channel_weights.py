"""How much each channel of the policy counts for one model in one environment, estimated from known decisions.

The policy is a conditional logit (McFadden 1974): an action's utility is the sum over channels of weight times
what the channel says of it. A known decision is one whose right action is known: a step of a demonstration, or
of an episode of the agent's own. The weights maximise the likelihood of those actions under a Gaussian prior
(shrinkage), none below zero: before there is evidence, they are the prior. Pure arithmetic.
"""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ...envs.types import Record

CHANNELS = ("first", "scores", "value", "novelty", "repetition", "warned", "skills")
"""What may speak for an action: that it is the model's first choice; the model's log-probability of it; the
advantage remembered of it; that it leads to something new; that it was not tried already; that it is not known
to fail; what the skill behind it is worth."""
MODEL = 2
"""The first so many channels are the model's."""
MOST = 400
"""Known decisions that are fitted, the latest."""
FOLDS = 5
HELPS = 1.0
"""Standard errors by which memory must help an unknown model. Measured by `lichen bench competence`: at 1.64,
a model that is never right was followed where few decisions were known."""
SURE = 1.64
"""Standard errors (one-sided 95%) by which memory must help, or must not harm."""
ENOUGH = 10
"""Demonstrated decisions from which on it is known whether memory helps a model."""

Features = NDArray[np.float64]
"""Shape (options, channels)."""


Speaks = Literal["both", "model", "memory"]


class ChannelWeights(Record):
    """Weights of the channels, in nats for what a channel says."""

    first: float
    scores: float
    value: float
    novelty: float
    repetition: float
    warned: float
    skills: float
    known: int = 0
    """Known decisions behind the weights."""
    right: int = 0
    """Those of them at which the model's first choice was the right action; ties count in parts."""
    right_with_memory: int = 0
    """Those at which the policy's was, with weights from the other decisions only."""
    speaks: Speaks = "both"
    """Who weighs in beside novelty and the like: where one of the two was not seen to help, the other alone."""

    @property
    def vector(self) -> NDArray[np.float64]:
        """The weights in the order of CHANNELS, shape (7,)."""
        return np.array([getattr(self, name) for name in CHANNELS])

    def without_model(self) -> "ChannelWeights":
        """Return the same weights, the model's set to nothing."""
        return self.model_copy(update={"first": 0.0, "scores": 0.0})


class WeightPrior(Record):
    """What the weights are before anything is known, and how firmly: mean and standard deviation of each."""

    mean: ChannelWeights
    spread: tuple[float, ...]
    source: str = ""
    """Where it comes from."""
    measured: bool = False
    """Whether memory was seen to carry this model elsewhere; then it is the model that must be seen to help."""


class KnownDecision(Record):
    """One decision whose right (or wrong) action is known."""

    episode: str
    options: tuple[tuple[float, ...], ...]
    """Each different row once: how many options share it, then what the channels say of them."""
    taken: int
    """Row of the known action."""
    weight: float = 1.0
    """How much it counts."""
    wrong: bool = False
    """The action is known not to have brought anything (a step of an episode that was lost)."""
    demonstrated: bool = True
    """Whether somebody who knows took it; what the policy itself took says less of what else was right."""


def compact(features: Features, taken: int) -> tuple[tuple[tuple[float, ...], ...], int]:
    """Return the different rows of features with their counts, and the row of one option.

    >>> compact(np.array([[0.0], [1.0], [0.0]]), 1)
    (((2.0, 0.0), (1.0, 1.0)), 1)
    """
    rows: dict[tuple[float, ...], int] = {}
    said = [tuple(round(float(x), 4) + 0.0 for x in row) for row in features]
    for row in said:
        rows[row] = rows.get(row, 0) + 1
    return tuple((float(n), *row) for row, n in rows.items()), list(rows).index(said[taken])


def fit(
    prior: WeightPrior,
    decisions: Sequence[KnownDecision],
    *,
    model: bool = True,
    gate: bool = True,
) -> ChannelWeights:
    """Return the weights after these decisions.

    Args:
        prior: Before them.
        decisions: In the order of the ledger; the latest MOST are taken.
        model: Whether a model speaks; False: its channels are left out.
        gate: Whether one of the two is silenced where it was not seen to help.
    """
    mean = prior.mean if model else prior.mean.without_model()
    # a lost step speaks against who chose it, the model; of what memory said there nobody knows what was right
    recent = [one for one in decisions if model or not one.wrong][-MOST:]
    if not recent:
        return mean
    table = _Table(recent, model=model)
    spread = np.array(prior.spread)
    found = table.maximised(mean.vector, spread, np.ones(len(recent)))
    shown = np.array([not one.wrong for one in recent])
    alone = mean.model_copy(update={"value": 0.0})
    across = _across(table, mean.vector, spread, recent)
    speaks: Speaks = "both"
    if gate and model:
        only = _Table(recent, model=False)
        memory = _across(only, mean.without_model().vector, spread, recent)
        speaks = _who(prior, recent, across - table.right(alone.vector), across - memory)
    if speaks == "model":
        found = alone.vector
    elif speaks == "memory":
        found = only.maximised(mean.without_model().vector, spread, np.ones(len(recent)))
    first = table.right(np.eye(len(CHANNELS))[0]) if model else np.zeros(len(recent))
    return ChannelWeights(
        **dict(zip(CHANNELS, (round(float(x), 4) for x in found), strict=True)),
        known=int(shown.sum()),
        right=round(float(first[shown].sum())),
        right_with_memory=round(float(across[shown].sum())),
        speaks=speaks,
    )


def _who(
    prior: WeightPrior,
    decisions: Sequence[KnownDecision],
    over_model: NDArray[np.float64],
    over_memory: NDArray[np.float64],
) -> Speaks:
    """Return who speaks: do no harm, neither to what the model can do alone nor to what memory can.

    Of an unknown model its own word stands, and memory must be seen to help, by HELPS standard errors; where it
    does, and the two together are right less often than memory alone, memory speaks alone. A model that was
    measured to be carried by memory must be seen to help it, by SURE standard errors.

    Args:
        prior: Of the model.
        decisions: Known ones.
        over_model: How much oftener right both are than the model alone, at each.
        over_memory: The same over memory alone.
    """
    sure = np.array([one.demonstrated and not one.wrong for one in decisions])
    if sure.sum() < ENOUGH:
        return "both"

    def errors(gained: NDArray[np.float64]) -> float:
        error = math.sqrt(float(np.square(gained).sum()))
        return float(gained.sum()) / error if error else 0.0

    model, memory = errors(over_model[sure]), errors(over_memory[sure])
    if prior.measured:
        if memory <= SURE:
            return "memory"
        return "model" if model < -SURE else "both"
    if model <= HELPS:
        return "model"
    return "memory" if memory < 0 else "both"


def _across(
    table: "_Table",
    mean: NDArray[np.float64],
    spread: NDArray[np.float64],
    decisions: Sequence[KnownDecision],
) -> NDArray[np.float64]:
    """Return how right the policy is at each decision, fitted on other episodes (cross-validation)."""
    episodes = {name: i for i, name in enumerate(dict.fromkeys(one.episode for one in decisions))}
    fold = np.array([episodes[one.episode] % FOLDS for one in decisions])
    found = np.zeros(len(decisions))
    for part in np.unique(fold):
        kept = (fold != part).astype(float)
        theta = table.maximised(mean, spread, kept)
        found[fold == part] = table.right(theta)[fold == part]
    return found


class _Table:
    """Decisions as one padded array."""

    def __init__(self, decisions: Sequence[KnownDecision], *, model: bool) -> None:
        n, most = len(decisions), max(len(one.options) for one in decisions)
        self.x = np.zeros((n, most, len(CHANNELS)))
        self.counts = np.zeros((n, most))
        for i, one in enumerate(decisions):
            rows = np.array(one.options)
            self.counts[i, : len(rows)] = rows[:, 0]
            self.x[i, : len(rows)] = rows[:, 1:]
        if not model:
            self.x[:, :, :MODEL] = 0.0
        self.taken = np.array([one.taken for one in decisions])
        self.weight = np.array([one.weight for one in decisions])
        self.wrong = np.array([one.wrong for one in decisions])
        self.here = np.arange(n)
        with np.errstate(divide="ignore"):
            self.log_counts = np.log(self.counts)
            others = self.counts.copy()
            others[self.here, self.taken] -= 1
            self.log_others = np.log(others) - np.where(self.counts > 0, self.log_counts, 0.0)
            """What is left of each row when the known action is taken away, as a log share."""

    def right(self, theta: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the chance that the best option is the known action, at each decision."""
        utility = np.where(self.counts > 0, np.round(self.x @ theta, 6), -np.inf)
        best = utility == utility.max(axis=1, keepdims=True)
        share: NDArray[np.float64] = best[self.here, self.taken] / (best * self.counts).sum(axis=1)
        return share

    def maximised(
        self, mean: NDArray[np.float64], spread: NDArray[np.float64], kept: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the weights of the greatest posterior, by coordinate descent.

        Each coordinate's slope rises along it (for right actions the problem is convex), so its root is
        found by halving.
        """
        theta = mean.copy()
        weight = self.weight * kept
        active = [k for k in range(len(mean)) if np.ptp(self.x[:, :, k]) > 0]
        for _ in range(8):
            before = theta.copy()
            for k in active:
                counts = weight if k < MODEL else weight * ~self.wrong
                theta[k] = self._root(theta, k, mean[k], spread[k], counts)
            if np.abs(theta - before).max() < 1e-3:
                break
        return theta

    def _root(
        self,
        theta: NDArray[np.float64],
        k: int,
        mean: float,
        spread: float,
        weight: NDArray[np.float64],
    ) -> float:
        rest = self.x @ theta - self.x[:, :, k] * theta[k] + self.log_counts
        here = self.x[:, :, k]
        there = here[self.here, self.taken]

        def slope(value: float) -> float:
            utility = rest + here * value
            utility = utility - utility.max(axis=1, keepdims=True)
            chance = np.exp(utility)
            chance /= chance.sum(axis=1, keepdims=True)
            missed = (chance * here).sum(axis=1) - there
            if self.wrong.any():  # -log(1 - p): p times how the action differs from the others
                p = chance[self.here, self.taken] / self.counts[self.here, self.taken]
                others = utility + self.log_others
                rest_of = np.exp(others - others.max(axis=1, keepdims=True))
                rest_of /= rest_of.sum(axis=1, keepdims=True)
                missed = np.where(self.wrong, p * (there - (rest_of * here).sum(axis=1)), missed)
            return float((weight * missed).sum()) + (value - mean) / spread**2

        low, high = 0.0, max(2.0 * mean, 30.0)
        if slope(low) >= 0:
            return low
        for _ in range(24):
            middle = (low + high) / 2
            low, high = (low, middle) if slope(middle) > 0 else (middle, high)
        return (low + high) / 2
