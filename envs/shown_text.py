"""Text that others wrote, as it may be shown: nothing in it is a command to a terminal or turns a page around.

What was remembered, a server's words, a skill's file: control characters (C0, C1), those that turn the
direction of writing, and halves of surrogate pairs are shown as escapes.
"""

import re

_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def shown(text: str) -> str:
    r"""Return a text in which what a terminal would obey is written out; lines and tabs stay.

    >>> shown("a\x1b]52;c;cm0=\x07\u202eb\n")
    'a\\x1b]52;c;cm0=\\x07\\u202eb\n'
    """
    return _UNSAFE.sub(_escape, text)


def shown_json(text: str, *, ascii_only: bool = False) -> str:
    r"""Return JSON of the same value in which such characters are escapes of JSON.

    >>> shown_json('{"a": "\x9b\u4e2d"}'), shown_json('{"a": "\u4e2d"}', ascii_only=True)
    ('{"a": "\\u009b中"}', '{"a": "\\u4e2d"}')
    """
    text = _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return _beyond(text) if ascii_only else text


def _beyond(text: str) -> str:
    units = (char.encode("utf-16-be", "surrogatepass") for char in text)
    return "".join(
        char
        if ord(char) < 128
        else "".join(f"\\u{unit[i : i + 2].hex()}" for i in range(0, len(unit), 2))
        for char, unit in zip(text, units, strict=True)
    )


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
