"""The one way of text to a terminal: nothing in it is a command to the terminal, and no console makes it raise.

What was remembered, a server's words, a skill's file: all of it was written by others. Control characters (C0,
C1), those that turn the direction of writing, and halves of surrogate pairs are shown as escapes. What the
console's encoding does not have is shown as an escape too. Only Lichen's own colours and progress bars are
sent as they are.
"""

import re
import sys
from collections.abc import Iterable
from typing import Any

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


class _ShownStream:
    """A text stream through which only shown text goes; rich, which cleans its own, goes past it."""

    def __init__(self, stream: Any) -> None:
        self.rich_proxied_file = stream

    def write(self, text: str) -> int:
        """Write a text as it is shown."""
        self.rich_proxied_file.write(shown(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write lines as they are shown."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        if name == "buffer":  # bytes would go past it
            raise AttributeError(name)
        return getattr(self.rich_proxied_file, name)


def guard_streams() -> None:
    """Make standard output and error such streams, for all that this process writes from now on."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None or isinstance(stream, _ShownStream):
            continue
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
        setattr(sys, name, _ShownStream(stream))
