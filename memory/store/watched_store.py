"""A store that is looked at while another process, or another part of this one, writes to it."""

from pathlib import Path

from ..ledger.events import Forgotten
from ..likeness.embedder import Embedder
from .store import Store


class WatchedStore(Store):
    """A read-only store that takes in what was written since.

    Args:
        folder: Of the store.
        embedder: Of texts; `minilm` when None.

    Raises:
        StoreUnwritable: There is no store.
    """

    def __init__(self, folder: Path | str, *, embedder: Embedder | None = None) -> None:
        super().__init__(folder, read_only=True, embedder=embedder)

    def refresh(self) -> bool:
        """Fold what was written since this store was opened, or refreshed; return whether anything was."""
        rows = list(self.ledger.read(after=self._fold.seq))
        if not rows:
            return False
        if any(isinstance(row.event, Forgotten) for row in rows):  # earlier rows lost their content
            self._refold(self.ledger.read())
            self.indexes.close()
            return True
        came, gone = self._apply(rows)
        self.indexes.remove(gone)
        self.indexes.put(came)
        return True
