"""A store as it was after a row of its ledger: folded in the background, kept until another row is asked."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from .....envs.errors import LichenError
from .....memory.likeness.embedder import Embedder
from .....memory.store.store import Store

T = TypeVar("T")


class BeingFolded(LichenError):
    """An earlier state is not folded yet; ask again in a moment."""

    retryable = True


class Past:
    """The last earlier state that was asked for.

    Args:
        folder: Of the store.
        embedder: Of texts.
        patience: Seconds that a page waits for it.
    """

    def __init__(self, folder: Path, embedder: Embedder, *, patience: float = 0.2) -> None:
        self._folder, self._embedder, self._patience = folder, embedder, patience
        self._lock = threading.Lock()
        self._asked = (0, 0)
        self._made: Future[Store] | None = None

    def look(self, row: int, forgotten: int, work: Callable[[Store], T]) -> T:
        """Return what something finds in the store as it was after a row.

        Args:
            row: Number of a ledger row.
            forgotten: How many episodes were forgotten by now: what was folded before holds them still.
            work: Looks.

        Raises:
            BeingFolded: It is not ready yet.
            StoreUnwritable: There is no store.
        """
        with self._lock:
            if self._made is None or self._asked != (row, forgotten):
                self._drop()
                self._asked, self._made = (row, forgotten), Future()
                threading.Thread(
                    target=self._fold, args=(row, self._made), name="lichen-past", daemon=True
                ).start()
            made = self._made
        try:
            store = made.result(self._patience)
        except TimeoutError as error:
            raise BeingFolded(f"the memory as it was after row {row} is being folded") from error
        with self._lock:
            if self._made is not made:  # another row was asked for meanwhile
                raise BeingFolded(f"the memory as it was after row {row} is being folded")
            return work(store)

    def _fold(self, row: int, made: "Future[Store]") -> None:
        try:
            store = Store(self._folder, read_only=True, embedder=self._embedder, until=row)
        except BaseException as error:  # told to whoever asks
            made.set_exception(error)
            return
        made.set_result(store)

    def _drop(self) -> None:
        if self._made is not None:
            self._made.add_done_callback(_closed)
            self._made = None

    def close(self) -> None:
        """Close what is kept."""
        with self._lock:
            self._drop()


def _closed(made: "Future[Store]") -> None:
    with suppress(Exception):
        made.result().close()
