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
    _contexts: defaultdict[str, _Sum] = field(default_factory=lambda: defaultdict(_Sum))
    _all: _Sum = field(default_factory=_Sum)

    def difficulty(self, context: str) -> float:
        """Return the outcome expected in a context when nothing is exposed.

        A state cluster's is shrunk towards its family's, and that towards all of them (see `context_of`).
        """
        weight, expected = SHRINK, self._all.mean
        for name in dict.fromkeys((context.split("/", 1)[0], context)):
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
        for name in dict.fromkeys((context.split("/", 1)[0], context)):
            self._contexts[name].add(outcome - shown)
        self._all.add(outcome - shown)

    @property
    def known(self) -> list[str]:
        """Items that were held out or shown at random at least once."""
        return [item for item, known in self._items.items() if known.n]

    def uplift(self, item: str) -> Uplift:
        """Return an item's uplift with its interval; wide, around zero, when nothing is known."""
        known, spread = self._items.get(item), SPREAD
        if known is None or known.n == 0:
            return _UNKNOWN
        # two prior reads keep the variance of very few from looking like none
        variance = (known.squares - known.n * known.mean**2 + 2 * spread**2) / (known.n + 1)
        half = _Z * math.sqrt(max(variance, 0.0) / known.n)
        mean = known.mean
        return Uplift(mean=mean, low=mean - half, high=mean + half, n=known.n)


ANNEAL = 400
"""Randomised reads after which an item is held out half as often."""


def annealed(share: float, n: int, half: int = ANNEAL) -> float:
    """Return how often an item is held out after n randomised reads: half as often after `half`."""
    return share * half / (half + n)
