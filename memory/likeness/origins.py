"""Where the value of a call's argument comes from: what makes calls of different tasks alike."""

import re
from functools import lru_cache
from typing import Any, Literal

from .words import bounded

Origin = Literal["goal", "seen", "made"]
"""The words of the task, what was seen last, or neither."""


def origin_of(value: Any, goal: str, seen: str) -> Origin:
    """Return where a value comes from.

    >>> origin_of("a.txt", "open A.txt", ""), origin_of(3, "open it", "3 files"), origin_of(True, "", "")
    ('goal', 'seen', 'made')
    >>> origin_of(139.5, "", "a bookshelf, 139.50 EUR")
    'seen'
    """
    parts = value if isinstance(value, (list, tuple)) and value else [value]
    for name, text in (("goal", goal), ("seen", seen)):
        if all(_in(part, text) for part in parts):
            return "goal" if name == "goal" else "seen"
    return "made"


@lru_cache(maxsize=65536, typed=True)
def said_in(value: str | int | float, text: str) -> re.Match[str] | None:
    """Return where a value is written in a text, as a whole word; decimals may have zeros behind them."""
    said = re.escape(f"{value:g}" if isinstance(value, float) else str(value))
    if isinstance(value, float):
        said += "0*" if "." in said else "(?:[.,]0+)?"
    return re.search(bounded(said, str(value)), text, re.IGNORECASE) if said else None


def _in(value: Any, text: str) -> bool:
    if isinstance(value, bool) or value is None or isinstance(value, (dict, list, tuple)):
        return False
    return bool(str(value).strip()) and said_in(value, text) is not None
