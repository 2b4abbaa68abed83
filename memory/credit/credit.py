"""Causal credit: how much each memory item really helps, from exposures that were randomised a little.

An episode's outcome says nothing about which of its items helped: items that are always recalled together,
and items of easy tasks, look alike. So single items are held out at random with a logged propensity, and an
item's utility is a doubly robust uplift: a prediction of the outcome from the difficulty of the context and
the other items shown, plus the inverse-propensity-weighted rest (Robins, Rotnitzky and Zhao 1994). Pure
arithmetic; it folds in any order of items and in the order of episodes.
"""

import math
import zlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import Field

from ...envs.types import Record
from ..likeness.analogy import FILLER
from ..likeness.words import words

_Z = 1.96


def context_of(family: str, goal: str) -> str:
    """Return where the difficulty is alike: `FAMILY/CLUSTER`, the cluster being the form of the goal.

    The form is the goal without its entities and numbers: tasks of one form begin in like states.

    >>> one, two = context_of("find", "take the coin"), context_of("find", "take the key")
    >>> one == two
    True
    """
    form = [word for word in words(goal) if word in FILLER]
    return f"{family}/{zlib.crc32(' '.join(form).encode()):08x}"


class Exposure(Record):
    """One considered item of a read."""

    item: str
    exposed: bool
    propensity: float = Field(gt=0, le=1)
    """Probability with which it was exposed."""


class Uplift(Record):
    """What exposing an item adds to the outcome, with its 95% interval."""

    mean: float
    low: float
    high: float
    n: int
    """Reads in which it was randomised."""


_UNKNOWN = Uplift(mean=0.0, low=-1.0, high=1.0, n=0)
SHRINK = 8.0
"""Episodes' worth of the overall mean in the difficulty of a context."""
PRIOR = 60.0
"""Reads' worth of zero uplift in the prediction that an item's effect takes from the others'."""
SPREAD = 0.5
"""Prior standard deviation of one read's uplift score, so that few reads give no narrow interval."""


@dataclass
class _Sum:
    n: int = 0
    total: float = 0.0
    squares: float = 0.0

    def add(self, value: float) -> None:
        """Count one more value."""
        self.n += 1
        self.total += value
        self.squares += value * value

    @property
    def mean(self) -> float:
        """Return the mean, 0 when there is none."""
        return self.total / self.n if self.n else 0.0


@dataclass
class Credit:
    """Uplifts of all items, updated episode by episode.

    The prediction uses what was learned from earlier episodes only, so that every score is unbiased however
    wrong the prediction is: the propensities are known.
    """

    _items: defaultdict[str, _Sum] = field(default_factory=lambda: defaultdict(_Sum))
    _kinds: dict[str, defaultdict[str, _Sum]] = field(default_factory=dict)
    """Item -> kind of task -> the same scores."""
    _contexts: defaultdict[str, _Sum] = field(default_factory=lambda: defaultdict(_Sum))
    _all: _Sum = field(default_factory=_Sum)
    _spread: float | None = None
    """Variance of the true effects between kinds of task; None: to be estimated anew."""

    def difficulty(self, context: str) -> float:
        """Return the outcome expected in a context when nothing is exposed.

        A state cluster's is shrunk towards its family's, and that towards all of them (see `context_of`).
        """
        weight, expected = SHRINK, self._all.mean
        for name in dict.fromkeys((_kind(context), context)):
            here = self._contexts[name]
            expected = (here.total + weight * expected) / (here.n + weight)
        return expected

    def effect(self, item: str) -> float:
        """Return an item's uplift, shrunk towards zero: the prediction that others are adjusted by."""
        known = self._items[item]
        return known.total / (known.n + PRIOR)

    def observe(self, context: str, exposures: Sequence[Exposure], outcome: float) -> None:
        """Take the outcome of one episode (or of one read's share of it).

        Args:
            context: Family and state cluster: where the difficulty is alike.
            exposures: Every considered item, each once. One that was shown for certain (propensity 1) tells
                nothing of itself, and is still adjusted for.
            outcome: In [0, 1]; an unknown outcome must not be given at all.
        """
        effects = {e.item: self.effect(e.item) for e in exposures}
        shown = sum(effects[e.item] for e in exposures if e.exposed)
        base = self.difficulty(context)
        for e in exposures:
            if e.propensity >= 1.0:
                continue
            others = shown - (effects[e.item] if e.exposed else 0.0)
            without = base + others
            with_it = without + effects[e.item]
            rest = (
                (outcome - with_it) / e.propensity
                if e.exposed
                else -(outcome - without) / (1.0 - e.propensity)
            )
            self._items[e.item].add(effects[e.item] + rest)
            kinds = self._kinds.setdefault(e.item, defaultdict(_Sum))
            kinds[_kind(context)].add(effects[e.item] + rest)
            self._spread = None
        for name in dict.fromkeys((_kind(context), context)):
            self._contexts[name].add(outcome - shown)
        self._all.add(outcome - shown)

    @property
    def known(self) -> list[str]:
        """Items that were held out or shown at random at least once."""
        return [item for item, known in self._items.items() if known.n]

    def uplift(self, item: str, context: str = "") -> Uplift:
        """Return an item's uplift with its interval; wide, around zero, when nothing is known.

        Args:
            item: What is exposed.
            context: Where: the uplift is that in this kind of task. What is known of the item elsewhere counts
                as far as effects were seen to be alike between kinds (empirical Bayes; the variance between
                them as DerSimonian and Laird 1986 estimate it, over all items). Then `n` is how many reads
                of this kind of task would be as sure. Empty: over all tasks.
        """
        known = self._items.get(item)
        if known is None or known.n == 0:
            return _UNKNOWN
        variance = _variance(known)
        mean, error, n = known.mean, variance / known.n, known.n
        if context and len(kinds := self._kinds[item]) and (between := self._between()) > 0:
            here = kinds.get(_kind(context), _Sum())
            mean, error = _shrunk(known, here, variance, between)
            n = round(variance / error)
        half = _Z * math.sqrt(error)
        return Uplift(mean=mean, low=mean - half, high=mean + half, n=n)

    def _between(self) -> float:
        """Return the variance of the true effects of an item between kinds of task, pooled over all items."""
        if self._spread is None:
            excess = freedom = 0.0
            for item, kinds in self._kinds.items():
                if len(kinds) < 2:
                    continue
                variance = _variance(self._items[item])
                weights = [kind.n / variance for kind in kinds.values()]
                total = sum(weights)
                pairs = list(zip(weights, kinds.values(), strict=True))
                middle = sum(w * kind.mean for w, kind in pairs) / total
                excess += sum(w * (kind.mean - middle) ** 2 for w, kind in pairs) - (len(kinds) - 1)
                freedom += total - sum(w * w for w in weights) / total
            self._spread = max(0.0, excess / freedom) if freedom > 0 else 0.0
        return self._spread


def _kind(context: str) -> str:
    return context.split("/", 1)[0]


def _variance(known: _Sum) -> float:
    """Return the variance of one read's score; two prior reads keep that of very few from looking like none."""
    found = (known.squares - known.n * known.mean**2 + 2 * SPREAD**2) / (known.n + 1)
    return max(found, 1e-9)


def _shrunk(known: _Sum, here: _Sum, variance: float, between: float) -> tuple[float, float]:
    """Return mean and squared error of an item's effect in one kind of task.

    Args:
        known: Its scores everywhere.
        here: Those in this kind.
        variance: Of one score.
        between: Variance of true effects between kinds.
    """
    elsewhere = known.n - here.n
    # what other kinds say of this one: their mean, as far off as kinds differ
    prior = (known.total - here.total) / elsewhere if elsewhere else 0.0
    doubt = variance / elsewhere + 2 * between if elsewhere else math.inf
    weight = here.n / variance + 1 / doubt
    return (here.total / variance + prior / doubt) / weight, 1 / weight


ANNEAL = 400
"""Randomised reads after which an item is held out half as often."""


def annealed(share: float, n: int, half: int = ANNEAL) -> float:
    """Return how often an item is held out after n randomised reads: half as often after `half`."""
    return share * half / (half + n)
