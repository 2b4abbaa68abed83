"""How an event lies in the ledger: the table, and the hashes that chain its rows."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from uuid6 import uuid7

meta = sa.MetaData()
events = sa.Table(
    "events",
    meta,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("id", sa.Text, nullable=False, unique=True),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    sa.Column("run", sa.Text, nullable=False, index=True),
    sa.Column("episode", sa.Text, nullable=False, index=True),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("parents", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("chain", sa.Text, nullable=False),
)
timings = sa.Table(
    "timings",
    meta,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("ms", sa.Float, nullable=False),
)
"""What calls took. Measurements are no evidence: they differ from run to run, and are not folded or copied."""
COLUMNS = tuple(column.name for column in events.columns)

FORGOTTEN = ""
"""The payload of an event whose content was forgotten; its digest stays, so that the chain holds."""


def make_row(
    before: str,
    *,
    seq: int,
    key: str,
    run: str,
    episode: str,
    actor: str,
    origin: str,
    parents: Sequence[str],
    payload: str,
    at: float,
) -> dict[str, Any]:
    """Return a new row with an id of its own, chained to the row whose chain hash is `before`."""
    row = {
        "seq": seq,
        "id": str(uuid7()),
        "key": key,
        "run": run,
        "episode": episode,
        "actor": actor,
        "origin": origin,
        "parents": json.dumps(parents),
        "payload": payload,
        "digest": digest(payload),
        "at": at,
    }
    return row | {"chain": link(before, row)}


def link(before: str, row: dict[str, Any]) -> str:
    """Return the chain hash of a row: over the hash of the row before it, and all but the payload itself."""
    said = {name: value for name, value in row.items() if name not in ("payload", "chain")}
    text = json.dumps(said, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(f"{before}|{text}".encode()).hexdigest()[:32]


def digest(payload: str) -> str:
    """Return the hash that stands for a payload in the chain."""
    return hashlib.sha256(payload.encode()).hexdigest()[:32]
