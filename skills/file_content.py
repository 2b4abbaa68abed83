"""What is in a file of a skill: its bytes, and whether it may be run."""

from collections.abc import Mapping
from typing import NamedTuple


class FileContent(NamedTuple):
    """A file's content, kept byte for byte."""

    data: bytes
    executable: bool = False

    @property
    def text(self) -> str:
        """Its text in UTF-8 with line ends as in Python, for what Lichen itself reads.

        Raises:
            UnicodeDecodeError: It is no text.
        """
        return self.data.decode().removeprefix("\ufeff").replace("\r\n", "\n")

    @property
    def shown(self) -> str:
        """Its text for people; what is none is said."""
        try:
            return self.text
        except UnicodeDecodeError:
            return f"({len(self.data):,} bytes that are no text)\n"


Files = Mapping[str, FileContent]
"""By path in their folder."""


def of_text(text: str) -> FileContent:
    """Return the content of a text."""
    return FileContent(text.encode())
