"""The one way of text to a terminal: nothing in it is a command to the terminal, and no console makes it raise.

See `envs.shown_text`. What the console's encoding does not have is shown as an escape too. Only Lichen's own
colours and progress bars are sent as they are.
"""

import sys
from collections.abc import Iterable
from typing import Any

from ...envs.shown_text import shown


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
