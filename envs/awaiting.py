"""Coroutines of the caller's, waited for from code that is not async itself.

They run in one loop of a thread of its own, so that what one call opened (a session, a pool) serves the next,
and a loop that runs already is not entered twice.
"""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Awaitable
from typing import Any

_held: dict[int, asyncio.AbstractEventLoop] = {}
"""The loop of this process; a fork begins its own."""
_lock = threading.Lock()


def awaited(result: Any) -> Any:
    """Return what an awaitable comes to, an async iterator's values as a list, and all else as it is.

    >>> async def one() -> int:
    ...     return 1
    >>> awaited(one()), awaited(2)
    (1, 2)
    """
    if isinstance(result, AsyncIterator):
        return awaited(_listed(result))
    if not isinstance(result, Awaitable):
        return result
    waiting = asyncio.run_coroutine_threadsafe(_wait(result), _loop())
    try:
        return waiting.result()
    except BaseException:
        waiting.cancel()
        raise


async def _wait(result: Awaitable[Any]) -> Any:
    return await result


async def _listed(values: AsyncIterator[Any]) -> list[Any]:
    return [value async for value in values]


def _loop() -> asyncio.AbstractEventLoop:
    with _lock:
        loop = _held.get(os.getpid())
        if loop is None:
            loop = asyncio.new_event_loop()
            _held[os.getpid()] = loop
            threading.Thread(target=loop.run_forever, name="lichen-awaiting", daemon=True).start()
        return loop
