"""What single actions brought, by what there was to work with: what they are worth, and where they failed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ...envs.types import Fact
from .needs import context
from .possible import Possible, failures_before

_ELSEWHERE = 4.0
"""What all that is known of an action elsewhere counts for at a new place, in tries."""
BROUGHT, NOTHING, KNOWN = range(3)
"""What an action came to: something, nothing, or what a skill brings already."""


@dataclass
class TriedActions:
    """Remembers what actions came to."""

    counts: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    """(where or empty for anywhere, action) -> how often it came to each of the three."""

    def came_to(self, grown: Sequence[str], sources: Iterable[str]) -> int:
        """Return what an action came to.

        Args:
            grown: Facts that it raised.
            sources: Facts that skills bring.
        """
        if not any(fact.startswith(("inventory.", "unlocked.")) for fact in grown):
            return NOTHING
        return KNOWN if set(grown) & set(sources) else BROUGHT

    def note(self, where: str, action: str, outcome: int) -> None:
        """Count an action; `where` is of `where`."""
        for place in ("", where):
            self.counts.setdefault((place, action), [0, 0, 0])[outcome] += 1

    def failed(self, action: str) -> list[frozenset[str]]:
        """Return what there was to work with where an action never brought anything."""
        return [
            frozenset(where.split(","))
            for (where, known), counts in self.counts.items()
            if where and known == action and counts[NOTHING] == sum(counts)
        ]

    def worths(self, offer: Possible, here: str, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return draws of the chance that each action brings something new here, shape (n,).

        Where it is new, it is as anywhere.

        Args:
            offer: The actions.
            here: Of `where`.
            rng: Of chance.
        """
        counts = offer.simple.copy()
        for place, action in self.counts:
            if not place and action in offer.places:
                counts[offer.places[action]] = self._counts(action, here)
        draws: NDArray[np.float64] = rng.beta(1 + counts[:, 0], 1 + counts[:, 1])
        return draws

    def _counts(self, action: str, here: str) -> tuple[float, float]:
        known = self.counts.get((here, action))
        if known is not None:
            return known[BROUGHT], sum(known) - known[BROUGHT]
        good, *bad = self.counts[("", action)]
        share = min(1.0, _ELSEWHERE / max(good + sum(bad), 1))
        return share * good, share * sum(bad) + failures_before(action)


def where(now: Mapping[str, Fact], sources: Iterable[str]) -> str:
    """Return what an action's worth depends on, as text; see `context`."""
    return ",".join(sorted(context(now, sources))) or "nothing"
