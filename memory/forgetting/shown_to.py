"""Who was shown a remembered episode, or denied it by lot, and what came of that."""

from collections.abc import Sequence

from ...envs.types import Record
from ..credit.credit import Uplift
from ..store.store import Store


class ShownTo(Record):
    """An episode whose reads found the remembered one."""

    episode: str
    shown: bool
    propensity: float
    """Probability with which it was to be shown."""
    score: float
    """How it ended, in [0, 1]; corrected for the judge's errors where only a judge knows."""


class ShownEffect(Record):
    """What is known of showing a remembered episode."""

    uplift: Uplift
    """What it adds to the score, with its 95% interval."""
    shown_score: float | None
    """Mean score of those that were shown it; None: there is none."""
    held_score: float | None
    """Mean score of those from which it was held out at random."""
    to: tuple[ShownTo, ...]
    """The newest first."""

    @property
    def held(self) -> int:
        """How many were denied it."""
        return sum(not one.shown for one in self.to)


def effect(store: Store, episode: str) -> ShownEffect:
    """Return who was shown an episode, and what is known to have come of it."""
    found = [
        ShownTo(
            episode=told.episode,
            shown=one.exposed,
            propensity=one.propensity,
            score=told.outcome,
        )
        for told in store.fold.observed
        for one in told.exposures
        if one.item == episode
    ]
    return ShownEffect(
        uplift=store.credit.uplift(episode),
        shown_score=mean_score([one.score for one in found if one.shown]),
        held_score=mean_score([one.score for one in found if not one.shown]),
        to=tuple(reversed(found)),
    )


def mean_score(values: Sequence[float]) -> float | None:
    """Return the mean of scores with four digits; None where there are none."""
    return round(sum(values) / len(values), 4) if values else None
