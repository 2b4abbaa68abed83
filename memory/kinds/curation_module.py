"""What a person said of whole episodes: which are never let go, and which are not to be recalled."""

from collections.abc import Mapping
from typing import Any

from ..ledger.curation_events import Pinned, Quarantined
from ..ledger.ledger import LedgerRow
from ..ledger.records import Trust
from .module import Held, MemoryModule


class CurationModule(MemoryModule):
    """Knows the pinned episodes, and those that a person quarantined; derives no records."""

    name = "curation"
    folds = (Pinned, Quarantined)

    def __init__(self) -> None:
        self.pinned: dict[str, str] = {}
        """Episode -> why."""
        self.apart: dict[str, str] = {}
        """Quarantined episode -> why."""

    def fold(self, row: LedgerRow) -> None:
        """See `MemoryModule.fold`."""
        if isinstance(row.event, (Pinned, Quarantined)):
            said = self.pinned if isinstance(row.event, Pinned) else self.apart
            said.pop(row.episode, None)
            if row.event.on:
                said[row.episode] = row.event.reason

    def distrusted(self, held: Held) -> Mapping[str, Trust]:
        """See `MemoryModule.distrusted`."""
        return {
            record.id: "quarantined"
            for episode in self.apart
            for record in held.everything_of(episode)
        }

    def state(self) -> dict[str, Any]:
        """See `MemoryModule.state`."""
        return {"pinned": self.pinned, "apart": self.apart}

    def restore(self, state: dict[str, Any]) -> None:
        """See `MemoryModule.restore`."""
        self.pinned, self.apart = dict(state["pinned"]), dict(state["apart"])
