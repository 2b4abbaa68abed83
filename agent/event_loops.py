"""Sync code beside event loops: whether one runs in this thread, and finishing a coroutine either way."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from ..envs.errors import UsageError

T = TypeVar("T")


def loop_runs() -> bool:
    """Return whether an event loop is running in this thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class OwnLoop:
    """An event loop for sync callers; those of several threads wait for each other."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._running = False
        self._one = threading.RLock()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end.

        Raises:
            UsageError: An event loop runs already in this thread.
        """
        if loop_runs():
            work.close()
            raise UsageError(
                "this call waits for its end, and an event loop is running in this thread",
                hint="Await the method of the same name that begins with `a`: `arun`, `alearn`.",
            )
        with self._one:
            self._running = True
            try:
                return self._runner.run(work)
            finally:
                self._running = False

    @contextmanager
    def idle(self) -> Iterator[None]:
        """Hold the loop while nothing runs on it: what other threads run on it ends first.

        Raises:
            UsageError: It is this very loop that runs here.
        """
        with self._one:
            if self._running:
                raise UsageError(
                    "an agent cannot be closed from inside its own run",
                    hint="Close it when the run has returned.",
                )
            yield

    def close(self, work: Coroutine[Any, Any, None] | None = None) -> None:
        """Finish a last coroutine, on this loop or in a thread beside the one that runs here, and close."""
        try:
            if work is not None:
                finish(work, self._runner)
        finally:
            self._runner.close()


def finish(work: Coroutine[Any, Any, T], runner: asyncio.Runner) -> T:
    """Run a coroutine to its end: on the runner, or in a thread beside the loop that runs here."""
    if not loop_runs():
        return runner.run(work)
    with ThreadPoolExecutor(max_workers=1) as beside:
        return beside.submit(asyncio.run, work).result()
