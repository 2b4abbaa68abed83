"""Sync code beside event loops: whether one runs in this thread, and finishing a coroutine either way."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def loop_runs() -> bool:
    """Return whether an event loop is running in this thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def finish(work: Coroutine[Any, Any, T], runner: asyncio.Runner) -> T:
    """Run a coroutine to its end: on the runner, or in a thread beside the loop that runs here."""
    if not loop_runs():
        return runner.run(work)
    with ThreadPoolExecutor(max_workers=1) as beside:
        return beside.submit(asyncio.run, work).result()
