"""The event loop of one agent, in a thread of its own: everything that the agent does happens there.

So its store is read and written by one thread whoever asks, a sync caller can wait in any thread, and an async
caller's own loop never stands still.
"""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
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
    """An event loop that starts at its first use, and ends once."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self.closed = False

    def begin(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Run a coroutine, beside others that run.

        Raises:
            UsageError: The loop has ended.
        """
        with self._lock:
            if self.closed:
                work.close()
                raise UsageError("the agent is closed", hint="Make a new one, or close it later.")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=_serve, args=(self._loop,), name="lichen-agent", daemon=True
                )
                self._thread.start()
            return asyncio.run_coroutine_threadsafe(_carried(work), self._loop)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end; an interruption of the caller cancels it first.

        Raises:
            UsageError: An event loop runs in this thread.
        """
        if loop_runs():
            work.close()
            raise UsageError(
                "this call waits for its end, and an event loop is running in this thread",
                hint="Await the method of the same name that begins with `a`: `arun`, `alearn`, `aask`.",
            )
        begun, ended = threading.Event(), threading.Event()

        async def watched() -> T:
            begun.set()
            try:
                return await work
            finally:
                ended.set()

        try:
            future = self.begin(watched())
        except UsageError:
            work.close()
            raise
        try:
            return future.result()
        except _ProcessEnding as ending:
            raise ending.error from None
        except BaseException:
            if not future.done() or future.cancelled():
                future.cancel()
                if begun.is_set():
                    ended.wait()  # what it holds is let go before the caller goes on
            raise

    async def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end, while the caller's loop goes on; cancelling the caller cancels it."""
        if self._loop is not None and asyncio.get_running_loop() is self._loop:
            return await work
        try:
            return await asyncio.wrap_future(self.begin(work))
        except _ProcessEnding as ending:
            raise ending.error from None

    def close(self, work: Coroutine[Any, Any, None] | None = None) -> None:
        """Cancel what runs, finish a last coroutine, and end the loop for good.

        Raises:
            UsageError: It is this loop that runs here.
        """
        if self._thread is threading.current_thread():
            if work is not None:
                work.close()
            raise UsageError(
                "an agent cannot be closed from inside its own run",
                hint="Close it when the run has returned.",
            )
        last = self.begin(_end(work)) if work is not None or self._loop is not None else None
        with self._lock:
            self.closed = True
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if last is None or loop is None or thread is None:
            return
        try:
            last.result()
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()


class _ProcessEnding(Exception):
    """Carries what would end the loop's thread (KeyboardInterrupt, SystemExit) to the thread that waits."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(str(error))
        self.error = error


async def _carried(work: Coroutine[Any, Any, T]) -> T:
    try:
        return await work
    except (KeyboardInterrupt, SystemExit) as error:
        raise _ProcessEnding(error) from error


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    """Run a loop until it is stopped; a task that raises KeyboardInterrupt ends itself, and not the others."""
    while True:
        try:
            loop.run_forever()
        except (KeyboardInterrupt, SystemExit):
            continue
        return


async def _end(work: Coroutine[Any, Any, None] | None) -> None:
    """Cancel every other task of this loop, wait for them, finish a last coroutine, close what is left."""
    loop = asyncio.get_running_loop()
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    try:
        if work is not None:
            await work
    finally:
        await loop.shutdown_asyncgens()
        await loop.shutdown_default_executor()
