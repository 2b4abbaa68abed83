"""A client of a server for each event loop: its connections belong to the loop that opened them."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from openai import AsyncOpenAI


class LoopClients:
    """Makes a client for each event loop that asks for one.

    Args:
        make: Makes one.
        shared: One client serves all loops (one that opens no connections of its own).
    """

    def __init__(self, make: Callable[[], "AsyncOpenAI"], *, shared: bool = False) -> None:
        self._make = make
        self._first = make()
        self._given = False
        """Whether a loop has the first one already, which is no other's then, also after that loop's end."""
        self._shared = shared
        self._by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncOpenAI] = (
            WeakKeyDictionary()
        )

    def now(self) -> "AsyncOpenAI":
        """Return the client of the loop that runs in this thread; outside of loops one to ask for its URL."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return self._first
        if self._shared:
            return self._first
        if loop not in self._by_loop:
            self._by_loop[loop] = self._make() if self._given else self._first
            self._given = True
        return self._by_loop[loop]

    async def close(self) -> None:
        """Close the clients: those of other loops that still run close when their loop comes to it."""
        here = asyncio.get_running_loop()
        if self._shared:
            await self._first.close()
        for loop, client in list(self._by_loop.items()):
            if loop is here:
                await client.close()
            elif loop.is_running():
                with contextlib.suppress(RuntimeError):  # it closed just now
                    asyncio.run_coroutine_threadsafe(client.close(), loop)
        self._by_loop.clear()
