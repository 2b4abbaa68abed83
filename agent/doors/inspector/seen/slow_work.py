"""Work that takes longer than a page may: begun in a thread of its own, and asked for again by the page."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any, TypeVar, cast

from .past import BeingFolded

T = TypeVar("T")
PATIENCE = 0.2
"""Seconds that a page waits."""


class SlowWork:
    """What is being done now, by name; an answer that was taken is done anew when it is asked for again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begun: dict[Hashable, Future[Any]] = {}

    def ask(self, name: Hashable, work: Callable[[], T], said: str) -> T:
        """Return what some work gives.

        Args:
            name: The same name is the same work.
            work: Begun where nothing of this name is being done.
            said: What is being done, in words.

        Raises:
            BeingFolded: It is not done yet.
        """
        with self._lock:
            begun = self._begun.get(name)
            if begun is None:
                begun = self._begun[name] = Future()
                threading.Thread(target=_do, args=(work, begun), daemon=True).start()
        try:
            found = begun.result(PATIENCE)
        except TimeoutError as error:
            if not begun.done():
                raise BeingFolded(said) from error
            raise
        finally:
            if begun.done():
                with self._lock:
                    self._begun.pop(name, None)
        return cast("T", found)


def _do(work: Callable[[], Any], begun: "Future[Any]") -> None:
    try:
        found = work()
    except BaseException as error:  # told to whoever asks
        begun.set_exception(error)
        return
    begun.set_result(found)
