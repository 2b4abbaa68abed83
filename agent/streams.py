"""Events of the agent's own loop, handed to a caller in another thread or another loop as they happen."""

import asyncio
import queue
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, TypeVar

from ..envs.errors import UsageError
from .event_loops import OwnLoop, loop_runs

E = TypeVar("E")
Work = Callable[[Callable[[E], None]], Coroutine[Any, Any, Any]]
"""Makes a coroutine that tells of its events."""


async def streamed(loop: OwnLoop, work: "Work[E]") -> AsyncIterator[E]:
    """Yield the events of some work; who stops listening cancels it.

    Args:
        loop: Where the work runs.
        work: Told where its events go.
    """
    here, events = asyncio.get_running_loop(), asyncio.Queue[E | None]()

    def tell(event: E) -> None:
        here.call_soon_threadsafe(events.put_nowait, event)

    future = loop.begin(work(tell))
    future.add_done_callback(lambda _: here.call_soon_threadsafe(events.put_nowait, None))
    try:
        while (event := await events.get()) is not None:
            yield event
        await asyncio.wrap_future(future)  # what went wrong is raised here
    finally:
        future.cancel()


def streamed_here(loop: OwnLoop, work: "Work[E]") -> Iterator[E]:
    """Yield the events of some work; who stops listening cancels it.

    Args:
        loop: Where the work runs.
        work: Told where its events go.

    Raises:
        UsageError: An event loop runs in this thread.
    """
    if loop_runs():
        raise UsageError(
            "this stream waits for its events, and an event loop is running in this thread",
            hint="Use `async for` with `astream` there.",
        )
    events: queue.SimpleQueue[E | None] = queue.SimpleQueue()
    future = loop.begin(work(events.put))
    future.add_done_callback(lambda _: events.put(None))
    try:
        while (event := events.get()) is not None:
            yield event
        future.result()
    finally:
        future.cancel()
