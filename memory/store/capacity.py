"""A bounded memory: above its capacity the least useful episode is let go, and a record says so.

Utility is the measured uplift, shrunk towards zero, plus a little for the episode's own score; of equals the
oldest goes. What is let go is retrieved no more; its events stay in the ledger (`forget` removes content).
"""

from collections.abc import Collection, Container

from ..credit.credit import Credit
from ..ledger.events import Evicted
from ..ledger.records import EpisodeCase

OWN_SCORE = 0.05
"""What a whole success counts before anything is known of its uplift."""


def utility(case: EpisodeCase, credit: Credit) -> float:
    """Return what an episode is worth keeping for, in units of score."""
    return credit.effect(case.episode) + OWN_SCORE * case.score


def least_useful(
    held: Collection[EpisodeCase],
    credit: Credit,
    capacity: int | None,
    pinned: Container[str] = (),
) -> list[Evicted]:
    """Return the events that let go what is more than `capacity`, the least useful first.

    Args:
        held: All episodes that are held.
        credit: Of the same store.
        capacity: Episodes to keep; None keeps all.
        pinned: Episodes that stay, however many they are.
    """
    over = len(held) - capacity if capacity is not None else 0
    if capacity is None or over <= 0:
        return []
    loose = [case for case in held if case.episode not in pinned]
    worth = {case.id: utility(case, credit) for case in loose}
    ranked = sorted(loose, key=lambda case: (worth[case.id], case.rank))
    return [
        Evicted(
            target=case.episode,
            capacity=capacity,
            utility=round(worth[case.id], 6),
            reason=f"{credit.uplift(case.episode).n} randomised reads, score {case.score:.2f}",
        )
        for case in ranked[:over]
    ]
