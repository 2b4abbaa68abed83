"""Text as it comes: what no file, database or terminal can hold is replaced, all else is kept as it is."""

import re
from typing import Any

_LONE = re.compile("[\ud800-\udfff]")


def whole(text: str) -> str:
    """Return a text that UTF-8 can write: half characters and NUL are replaced by U+FFFD.

    Half characters (lone surrogates) come from file names in another encoding and from torn JSON escapes; NUL
    ends strings in databases.

    >>> whole("caf\\udce9.txt"), whole("a\\0b"), whole("红球 😀")
    ('caf�.txt', 'a�b', '红球 😀')
    """
    return _LONE.sub("\ufffd", text).replace("\0", "\ufffd")


def whole_values(value: Any) -> Any:
    """Return a value as JSON has them with every text in it made whole."""
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, dict):
        return {whole_values(key): whole_values(held) for key, held in value.items()}
    if isinstance(value, (list, tuple)):
        return [whole_values(held) for held in value]
    return value


def shortened(text: str, most: int, *, around: str = "\n") -> str:
    """Return a text of about `most` characters, its middle left out where it is longer, which it says.

    Args:
        text: Any.
        most: Characters that are kept, those of the mark not counted.
        around: What stands before and behind the mark.

    >>> shortened("0123456789" * 10, 40)
    '01234567890123456789\\n[... 60 characters left out]\\n01234567890123456789'
    """
    gone = len(text) - most
    if gone <= 0:
        return text
    side = most // 2
    end = text[len(text) - (most - side) :]
    return f"{text[:side]}{around}[... {gone} characters left out]{around}{end}"
