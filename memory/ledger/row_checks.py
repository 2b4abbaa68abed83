"""What is wrong with the rows of a ledger, or of a copy of one: in words, and never by raising."""

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from ...envs.errors import BadFile
from ...envs.types import Record
from .event_rows import COLUMNS, FORGOTTEN, digest, link
from .events import Event, Forgotten, parse


class CopiedRow(Record, strict=True):
    """The form of a row in a copy; its columns are those of `event_rows.events`."""

    seq: int = Field(ge=1, le=2**53)
    id: str = Field(min_length=1)
    key: str = Field(min_length=1)
    run: str
    episode: str
    actor: str
    origin: str
    parents: str
    payload: str
    digest: str
    at: float = Field(allow_inf_nan=False)
    chain: str


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a file that `export_events` wrote.

    Raises:
        BadFile: The file cannot be read, or a line is no row, or one twice (the line is named).
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(f"{path} cannot be read: {error}") from error
    found: list[dict[str, Any]] = []
    seen: dict[tuple[str, Any], int] = {}
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        where = f"line {number} of {path}"
        row = _copied(line, where)
        for name in ("seq", "id", "key"):
            first = seen.setdefault((name, row[name]), number)
            if first != number:
                raise BadFile(f"{where} has the same {name} as line {first}")
        found.append(row)
    return found


def _copied(line: str, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise BadFile(f"{where} holds half of a surrogate pair, which is no text") from error
    except (ValueError, RecursionError) as error:
        raise BadFile(f"{where} is no row of a ledger: {error}") from error
    if isinstance(row, dict) and "steps" in row and "seq" not in row:
        raise BadFile(
            f"{where} is a demonstration, no row of a ledger",
            hint="`lichen memory import` takes demonstrations.",
        )
    if not isinstance(row, dict):
        raise BadFile(f"{where} is no row of a ledger: it is no JSON object")
    try:
        return CopiedRow.model_validate({n: row[n] for n in COLUMNS if n in row}).model_dump()
    except ValidationError as error:
        first = error.errors()[0]
        said = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise BadFile(f"{where} is no row of a ledger: {said}") from error


def read_parents(text: str) -> tuple[str, ...]:
    """Return the keys of the events that caused one.

    Raises:
        ValueError: It is no list of texts.
    """
    found = json.loads(text)
    if not isinstance(found, list) or not all(isinstance(key, str) for key in found):
        raise ValueError("its parents are no list of keys")
    return tuple(found)


def damage(rows: Iterable[dict[str, Any]]) -> list[str]:
    """Return one sentence per damaged row of a ledger or of a copy: unreadable, changed, missing, emptied."""
    found, chain, expected = [], "", 1
    emptied: dict[str, list[int]] = {}
    for row in rows:
        seq, payload = row["seq"], row["payload"]
        event: Event | None = None
        if payload == FORGOTTEN:
            emptied.setdefault(row["episode"], []).append(seq)
        else:
            try:
                event = parse(payload)
                read_parents(row["parents"])
            except (ValueError, TypeError, RecursionError) as error:
                found.append(f"row {seq} is not an event: {error}")
        if seq != expected:
            found.append(f"row {expected} is missing")
        elif not _chained(chain, row):
            found.append(f"row {seq} was changed after it was written")
        if isinstance(event, Forgotten):
            emptied.pop(event.target, None)
        chain, expected = row["chain"], seq + 1
    return found + [
        f"row {seq} lost its content, and no event says that it was forgotten"
        for lost in emptied.values()
        for seq in lost
    ]


def _chained(before: str, row: dict[str, Any]) -> bool:
    """Return whether a row is the one that its hashes were made of."""
    payload, at = row["payload"], row["at"]
    if not isinstance(payload, str) or not isinstance(at, int | float) or not math.isfinite(at):
        return False
    try:
        whole = payload == FORGOTTEN or digest(payload) == row["digest"]
        return bool(whole and row["chain"] == link(before, row))
    except (UnicodeEncodeError, TypeError):  # half of a surrogate pair; bytes
        return False
