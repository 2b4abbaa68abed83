"""Giving up a call that takes too long: Python cannot end a thread, so it is waited for no more."""

import contextvars
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class OutOfTime(Exception):
    """A call did not end in its time."""


def within(seconds: float | None, call: Callable[[], T]) -> T:
    """Return what a call returns, or raise what it raises.

    Args:
        seconds: That it may take; None: as long as it takes, in this thread.
        call: Made in a thread of its own where there is a limit.

    Raises:
        OutOfTime: It took longer; it may still be running.

    >>> within(5, lambda: 2)
    2
    """
    if seconds is None:
        return call()
    result: list[T] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            result.append(call())
        except BaseException as error:
            raised.append(error)

    here = contextvars.copy_context()
    thread = threading.Thread(target=lambda: here.run(run), name="lichen-tool", daemon=True)
    thread.start()
    thread.join(seconds)
    if raised:
        raise raised[0]
    if not result:
        raise OutOfTime
    return result[0]
