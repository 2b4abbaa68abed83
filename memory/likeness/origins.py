"""Where the value of a call's argument comes from: what makes calls of different tasks alike."""

import re
from functools import lru_cache
from typing import Any, Literal

Origin = Literal["goal", "seen", "made"]
"""The words of the task, what was seen last, or neither."""


def origin_of(value: Any, goal: str, seen: str) -> Origin:
    """Return where a value comes from.

    >>> origin_of("a.txt", "open A.txt", ""), origin_of(3, "open it", "3 files"), origin_of(True, "", "")
    ('goal', 'seen', 'made')
    """
    parts = value if isinstance(value, (list, tuple)) and value else [value]
    for name, text in (("goal", goal), ("seen", seen)):
        if all(_in(part, text) for part in parts):
            return "goal" if name == "goal" else "seen"
    return "made"


@lru_cache(maxsize=65536)
def _said_in(said: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(said)}(?!\w)", text, re.IGNORECASE) is not None


def _in(value: Any, text: str) -> bool:
    if isinstance(value, bool) or value is None or isinstance(value, (dict, list, tuple)):
        return False
    said = f"{value:g}" if isinstance(value, float) else str(value)
    return bool(said.strip()) and _said_in(said, text)
