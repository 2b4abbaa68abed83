"""Which of the found cases are shown: single ones are held out at random, so that credit is causal.

An item is a remembered episode, and it is shown or held out for a whole acting episode: what its steps
advise cannot be told apart anyhow. The draw is a hash of seed, task and item, the same after a resume.
"""

import hashlib

from .credit import Credit, annealed
from .types import Hit, Hits


def hold_out(hits: Hits, share: float, credit: Credit, *, seed: int, task_id: str) -> Hits:
    """Return the hits with some items moved from what is shown to what is held out.

    Args:
        hits: An honest answer.
        share: Of the acting episodes in which a new item is held out; 0 shows everything.
        credit: How often each item was randomised before.
        seed: Of the run.
        task_id: What is being done.
    """
    if share == 0.0:
        return hits
    shown: list[Hit] = []
    held: list[Hit] = []
    for hit in hits.hits:
        item = hit.case.episode
        chance = 1.0 - annealed(share, credit.uplift(item).n)
        hit = hit.model_copy(update={"propensity": chance})
        (shown if _draw(seed, task_id, item) < chance else held).append(hit)
    return hits.model_copy(
        update={"hits": tuple(shown), "held": tuple(held), "abstained": not shown}
    )


def _draw(seed: int, task_id: str, item: str) -> float:
    """Return a number in [0, 1) that looks random and is always the same for the same three."""
    said = f"{seed}\x1f{task_id}\x1f{item}".encode()
    return int.from_bytes(hashlib.blake2b(said, digest_size=8).digest()) / 2**64
