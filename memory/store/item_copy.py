"""An exact copy of an item, as one line of a pack: with its vectors, and with when it expires."""

import base64
import json
from collections.abc import Iterable, Iterator

from pydantic import model_validator

from ...envs.types import Record


class ItemCopy(Record):
    """One item as its row has it; texts are in ASCII, half characters too (see `item_table`)."""

    namespace: str
    key: str
    value: str
    """JSON."""
    fields: str
    """JSON."""
    encoder: str
    created: float
    """Seconds since 1970."""
    updated: float
    ttl: float | None
    expires: float | None
    """Seconds since 1970; None: never."""
    vectors: tuple[str, ...]
    """Of `encoder`, each its float32 numbers in base64."""

    @model_validator(mode="after")
    def _can_be_read(self) -> "ItemCopy":
        # names are texts as JSON has them between its quotation marks
        names = json.loads(f"[{self.namespace[:-1]}]"), json.loads(f'["{self.key}"]')
        if not all(isinstance(name, str) for part in names for name in part) or len(names[1]) != 1:
            raise ValueError("an item's namespace and key are no texts")
        if not isinstance(json.loads(self.value), dict):
            raise ValueError("an item's value is no JSON object")
        paths = json.loads(self.fields)
        if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
            raise ValueError("an item's fields are no paths")
        if len({len(data) for data in self.unpacked}) > 1 or any(
            len(data) % 4 or not data for data in self.unpacked
        ):
            raise ValueError("an item's vectors are no numbers")
        return self

    @property
    def unpacked(self) -> tuple[bytes, ...]:
        """The vectors, as the table holds them."""
        return tuple(base64.b64decode(said, validate=True) for said in self.vectors)


def item_lines(copies: Iterable[ItemCopy]) -> bytes:
    """Return copies as lines of JSON."""
    return b"".join(f"{copy.model_dump_json()}\n".encode() for copy in copies)


def read_items(lines: bytes) -> Iterator[ItemCopy]:
    """Yield the copies in lines of JSON.

    Raises:
        ValueError: A line is none.
    """
    return (ItemCopy.model_validate_json(line) for line in lines.splitlines())
