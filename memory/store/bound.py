"""A bounded memory: above its capacity the least useful episode is let go, and a record says so.

Utility is the measured uplift, shrunk towards zero, plus a little for the episode's own score; of equals the
oldest goes. What is let go is retrieved no more; its events stay in the ledger (`forget` removes content).
"""

from ..credit.credit import Credit
from ..ledger.events import Evicted
from ..ledger.ledger import Entry
from ..ledger.records import EpisodeCase
from .store import Store

OWN_SCORE = 0.05
"""What a whole success counts before anything is known of its uplift."""


def utility(case: EpisodeCase, credit: Credit) -> float:
    """Return what an episode is worth keeping for, in units of score."""
    return credit.effect(case.episode) + OWN_SCORE * case.score


def bound(store: Store, capacity: int | None) -> list[Evicted]:
    """Let episodes go until at most `capacity` are held, and return the records, the least useful first.

    Args:
        store: Open for writing.
        capacity: Episodes to keep; None keeps all.
    """
    over = len(store.episodes) - capacity if capacity is not None else 0
    if capacity is None or over <= 0:
        return []
    worth = {case.id: utility(case, store.credit) for case in store.episodes.values()}
    ranked = sorted(store.episodes.values(), key=lambda case: (worth[case.id], case.rank))
    gone = [
        Evicted(
            target=case.episode,
            capacity=capacity,
            utility=round(worth[case.id], 6),
            reason=f"{store.credit.uplift(case.episode).n} randomised reads, score {case.score:.2f}",
        )
        for case in ranked[:over]
    ]
    store.append([Entry(f"evict/{event.target}", "bank", "", event) for event in gone])
    store.absorb()
    return gone
