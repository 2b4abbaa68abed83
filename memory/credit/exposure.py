"""Which of the found cases are shown: the do-no-harm gate, and single items held out at random.

An item is a remembered episode, and it is shown or held out for a whole acting episode: what its steps
advise cannot be told apart anyhow. Every draw is a hash of seed, task and item, the same after a resume, and
its probability is logged, so that credit is causal.
"""

import hashlib
from typing import Literal

from ...envs.types import Record
from ..ledger.records import Hit, Hits
from .credit import Credit, Uplift, annealed

EXPLORE = 0.1
"""Share of learning episodes in which an item below the gate is shown all the same: the budget."""
SUSPECT = 0.02
"""The same for an item whose whole interval is below zero."""


LEAST = 8
"""Randomised reads below which the rule `harmless` knows nothing of an item."""


class HarmGate(Record):
    """Settings of the do-no-harm gate."""

    rule: Literal["off", "harmless", "proven"] = "harmless"
    """`harmless`: an item is shown until its whole interval is below zero. `proven`: only within the
    exploration budget until its interval is above zero. `off`: always. `lichen bench harm` measures all."""

    def passes(self, known: Uplift) -> bool:
        """Return whether an item of this uplift is above the gate."""
        if self.rule == "off":
            return True
        if self.rule == "proven":
            return known.n > 0 and known.low > 0
        return known.n < LEAST or known.high > 0

    def propensity(self, known: Uplift, share: float, *, learn: bool) -> float:
        """Return the probability with which an item is to be shown.

        Args:
            known: Its uplift so far.
            share: With which a new item above the gate is held out; it is annealed.
            learn: Whether credit is to be learned; where not, an item below the gate is never shown.
        """
        if self.passes(known):
            return 1.0 - annealed(share, known.n)
        if not learn:
            return 0.0
        return SUSPECT if known.n and known.high < 0 else EXPLORE


class Exposer:
    """Decides for one acting episode which items it is shown; the same answer however often it is asked.

    Args:
        credit: What is known of each item.
        gate: The do-no-harm gate.
        share: Of the acting episodes in which a new item above the gate is held out; 0 for none.
        seed: Of the run.
        task_id: What is being done.
        learn: Whether credit is to be learned; where not, an item below the gate is never shown.
        kind: Kind of the task: what counts is what an item brings there (see `Credit.uplift`), and it is held
            out the more often, the less is known of that. Empty: over all tasks.
    """

    def __init__(
        self,
        credit: Credit,
        gate: HarmGate,
        share: float,
        *,
        seed: int,
        task_id: str,
        learn: bool,
        kind: str = "",
    ) -> None:
        self._credit, self._gate, self._share = credit, gate, share
        self._seed, self._task_id, self._learn = seed, task_id, learn
        self._kind = kind

    def decide(self, item: str) -> tuple[bool, float]:
        """Return whether an item (a remembered episode) is shown, and with which probability it is."""
        known = self._credit.uplift(item, self._kind)
        chance = self._gate.propensity(known, self._share, learn=self._learn)
        return _draw(self._seed, self._task_id, item) < chance, chance

    def expose(self, hits: Hits) -> Hits:
        """Return an honest answer with some items moved from what is shown to what is held out."""
        if self._share == 0.0 and self._gate.rule == "off":
            return hits
        shown: list[Hit] = []
        held: list[Hit] = []
        for hit in hits.hits:
            show, chance = self.decide(hit.case.episode)
            (shown if show else held).append(hit.model_copy(update={"propensity": chance}))
        return hits.model_copy(
            update={"hits": tuple(shown), "held": tuple(held), "abstained": not shown}
        )


def _draw(seed: int, task_id: str, item: str) -> float:
    """Return a number in [0, 1) that looks random and is always the same for the same three."""
    said = f"{seed}\x1f{task_id}\x1f{item}".encode()
    return int.from_bytes(hashlib.blake2b(said, digest_size=8).digest()) / 2**64
