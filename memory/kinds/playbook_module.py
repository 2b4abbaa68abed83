"""The playbook: rules in words for each environment, with what they were learned from and what they gained.

Promoted by `agent.playbook` when held-out tasks show a gain, added and corrected by people. A bullet goes when
an episode that it was learned from is forgotten.
"""

from collections.abc import Iterable
from typing import Any

from ...envs.types import Record
from ..ledger.content_id import content_id
from ..ledger.ledger import LedgerRow
from ..ledger.playbook_event import BulletWritten
from .module import MemoryModule

_SIGN = "playbook-"


class Bullet(Record):
    """One rule as it is now."""

    id: str
    env: str
    text: str
    evidence: tuple[str, ...] = ()
    """Episodes that it was learned from; none of a person's own."""
    gain: tuple[float, float, float] | None = None
    """Of the playbook that it was promoted with: mean, and its 95% interval, over held-out tasks."""
    tasks: int = 0
    """Held-out tasks of that."""
    learned: int = 0
    """How many episodes memory had learned when it was written first."""
    by: str = ""
    """Who wrote it, or corrected it last; empty: it was learned."""


class PlaybookModule(MemoryModule):
    """Holds the bullets of every environment; derives no records."""

    name = "playbook"
    folds = (BulletWritten,)

    def __init__(self) -> None:
        self.bullets: dict[str, Bullet] = {}
        """By id, in the order in which they were written first."""

    def fold(self, row: LedgerRow) -> None:
        """See `MemoryModule.fold`."""
        event = row.event
        if not isinstance(event, BulletWritten):
            return
        name = row.episode.removeprefix(_SIGN)
        known = self.bullets.get(name)
        if not event.text:
            self.bullets.pop(name, None)
            return
        learned = event.evidence or event.gain is not None
        self.bullets[name] = Bullet(
            id=name,
            env=event.env,
            text=event.text,
            evidence=event.evidence if learned or known is None else known.evidence,
            gain=event.gain if learned or known is None else known.gain,
            tasks=event.tasks if learned or known is None else known.tasks,
            learned=event.learned if known is None else known.learned,
            by="" if row.origin != "person" else row.actor,
        )

    def of(self, env: str) -> tuple[Bullet, ...]:
        """Return the bullets of an environment."""
        return tuple(bullet for bullet in self.bullets.values() if bullet.env == env)

    def learned_from(self, episodes: Iterable[str]) -> tuple[str, ...]:
        """Return the episodes of the bullets that were learned from any of these."""
        gone = set(episodes)
        return tuple(
            episode_of(bullet.id)
            for bullet in self.bullets.values()
            if not gone.isdisjoint(bullet.evidence)
        )

    def state(self) -> dict[str, Any]:
        """See `MemoryModule.state`."""
        return {"bullets": [bullet.model_dump(mode="json") for bullet in self.bullets.values()]}

    def restore(self, state: dict[str, Any]) -> None:
        """See `MemoryModule.restore`."""
        held = [Bullet.model_validate(bullet) for bullet in state["bullets"]]
        self.bullets = {bullet.id: bullet for bullet in held}


def bullet_id(env: str, text: str) -> str:
    """Return the id of a bullet, by the words with which it was written first."""
    return content_id("bullet", env, text)


def episode_of(bullet: str) -> str:
    """Return the episode that the rows of a bullet have."""
    return f"{_SIGN}{bullet}"
