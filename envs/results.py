"""What a tool answers, as text: strings as they are, all else as JSON that keeps its letters."""

import json
from collections.abc import Iterator
from enum import Enum
from itertools import islice
from typing import Any

from pydantic_core import to_jsonable_python

from .awaiting import awaited
from .errors import UsageError
from .text import whole

MOST = 10_000
"""Values that are taken from a generator."""


def result_text(result: Any) -> str:
    """Return the text of a result; awaitables are awaited, iterators listed.

    Dataclasses, pydantic models, dates, decimals, enums, sets and arrays are as JSON has them.

    Raises:
        UsageError: An iterator has no end within 10,000 values.

    >>> result_text({"城市": "北京"}), result_text(x for x in range(3)), result_text(b"ok")
    ('{"城市": "北京"}', '[0, 1, 2]', 'ok')
    """
    result = awaited(result)
    if isinstance(result, Iterator):
        listed = list(islice(result, MOST + 1))
        if len(listed) > MOST:
            raise UsageError(f"it yields more than {MOST} values")
        result = listed
    return value_text(result)


def value_text(value: Any) -> str:
    """Return the text of a value as it is: nothing is awaited, and no iterator is used up."""
    if isinstance(value, Iterator):
        return whole(str(value))
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, str):
        return whole(str(value))
    if isinstance(value, (bytes, bytearray)):
        return whole(value.decode("utf-8", "backslashreplace"))
    try:
        plain = to_jsonable_python(value, fallback=_plain)
        return whole(plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False))
    except (TypeError, ValueError, RecursionError):
        return whole(str(value))


def _plain(value: Any) -> Any:
    """Return what JSON has for a value of another library's: an array's numbers, else its text."""
    listed = getattr(value, "tolist", None)
    return listed() if callable(listed) else str(value)
