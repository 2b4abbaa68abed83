"""What one request used of a model that serves several at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from .protocol import Usage

_METER: ContextVar[Usage | None] = ContextVar("lichen_meter", default=None)


@contextmanager
def metered() -> Iterator[Usage]:
    """Count what this task, and those that it begins, use meanwhile."""
    used = Usage()
    before = _METER.set(used)
    try:
        yield used
    finally:
        _METER.reset(before)


def note_usage(used: Usage) -> None:
    """Add to what the request uses that is served here, if one is."""
    meter = _METER.get()
    if meter is not None:
        meter.add(used)
