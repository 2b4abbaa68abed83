"""The append-only ledger: the one truth of everything learned.

SQLite in WAL mode through SQLAlchemy Core. Rows are chained by hashes, so a changed, lost or swapped row
shows. It knows nothing of cases: what is folded from it lives in `fold`.
"""

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from .errors import LedgerCorrupt, StoreUnwritable
from .events import Event, parse

_meta = sa.MetaData()
_events = sa.Table(
    "events",
    _meta,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    sa.Column("run", sa.Text, nullable=False, index=True),
    sa.Column("episode", sa.Text, nullable=False, index=True),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("chain", sa.Text, nullable=False),
)


@dataclass(frozen=True)
class Entry:
    """An event to append."""

    key: str
    """Idempotency key: the same key is written once, however often it is appended."""
    run: str
    episode: str
    event: Event


class Row(NamedTuple):
    """A stored event with its place."""

    seq: int
    key: str
    run: str
    episode: str
    event: Event


def open_sqlite(path: Path, *, read_only: bool = False) -> Engine:
    """Return an engine on an SQLite file in WAL mode.

    A commit survives a killed process when it returns; a power failure may take the last ones, and leaves
    the file sound. A file that nobody can write to, on a read-only disk, is read as it lies there.
    """
    query = {"uri": "true"}
    if read_only:
        query["mode"] = "ro"
        log = path.with_name(f"{path.name}-wal")
        if not os.access(path.parent, os.W_OK) and not (log.exists() and log.stat().st_size):
            query["immutable"] = "1"
    url = sa.URL.create(
        "sqlite+pysqlite", database=f"file:{quote(str(path.absolute()))}", query=query
    )
    engine = sa.create_engine(url, connect_args={"timeout": 30})

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: sa.engine.interfaces.DBAPIConnection, _: object) -> None:
        cursor = connection.cursor()
        if not read_only:
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.close()

    return engine


def link(before: str, seq: int, key: str, payload: str) -> str:
    """Return the chain hash of a row, from the hash of the row before it."""
    return hashlib.sha256(f"{before}|{seq}|{key}|{payload}".encode()).hexdigest()[:32]


class Ledger:
    """Append and read events.

    Args:
        engine: An engine from `open_sqlite`; several may be open on one file.
        clock: Returns the time in seconds since 1970, stored for people and never folded.
    """

    def __init__(self, engine: Engine, clock: Callable[[], float]) -> None:
        self._engine = engine
        self._clock = clock

    def create(self) -> None:
        """Create the tables where they are missing."""
        with writing():
            _meta.create_all(self._engine)

    def append(self, entries: Sequence[Entry]) -> int:
        """Append events in one transaction and return how many were new.

        An entry whose key is already stored is skipped: a resumed run may append again.

        Raises:
            StoreUnwritable: The disk is full or read-only; nothing of this call was stored.
        """
        if not entries:
            return 0
        with writing(), self._engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            new = self._insert(connection, entries)
            connection.commit()
        return new

    def _insert(self, connection: Connection, entries: Sequence[Entry]) -> int:
        last = connection.execute(
            sa.select(_events.c.seq, _events.c.chain).order_by(_events.c.seq.desc()).limit(1)
        ).first()
        seq, chain = (last.seq, last.chain) if last else (0, "")
        known = set(
            connection.scalars(
                sa.select(_events.c.key).where(_events.c.key.in_([e.key for e in entries]))
            )
        )
        rows = []
        for entry in entries:
            if entry.key in known:
                continue
            known.add(entry.key)
            payload = entry.event.model_dump_json()
            seq += 1
            chain = link(chain, seq, entry.key, payload)
            rows.append(
                {
                    "seq": seq,
                    "key": entry.key,
                    "run": entry.run,
                    "episode": entry.episode,
                    "payload": payload,
                    "at": self._clock(),
                    "chain": chain,
                }
            )
        if rows:
            connection.execute(sa.insert(_events), rows)
        return len(rows)

    def read(
        self, *, after: int = 0, run: str | None = None, episode: str | None = None
    ) -> Iterator[Row]:
        """Yield events in order.

        Raises:
            LedgerCorrupt: A row cannot be read as an event.
        """
        query = sa.select(_events).where(_events.c.seq > after).order_by(_events.c.seq)
        if run is not None:
            query = query.where(_events.c.run == run)
        if episode is not None:
            query = query.where(_events.c.episode == episode)
        with reading(), self._engine.connect() as connection:
            for row in connection.execute(query):
                try:
                    event = parse(row.payload)
                except ValueError as error:
                    raise LedgerCorrupt(
                        f"row {row.seq} of the ledger is not an event: {error}"
                    ) from error
                yield Row(row.seq, row.key, row.run, row.episode, event)

    def head(self) -> int:
        """Return the number of the last row, 0 when there is none."""
        with reading(), self._engine.connect() as connection:
            return connection.scalar(sa.select(sa.func.max(_events.c.seq))) or 0

    def damage(self) -> list[str]:
        """Return one sentence per damaged row: unreadable, changed, missing or out of order."""
        found, chain, expected = [], "", 1
        with reading(), self._engine.connect() as connection:
            for row in connection.execute(sa.select(_events).order_by(_events.c.seq)):
                if row.seq != expected:
                    found.append(f"row {expected} is missing")
                elif row.chain != link(chain, row.seq, row.key, row.payload):
                    found.append(f"row {row.seq} was changed after it was written")
                try:
                    parse(row.payload)
                except ValueError as error:
                    found.append(f"row {row.seq} is not an event: {error}")
                chain, expected = row.chain, row.seq + 1
        return found


@contextmanager
def writing() -> Iterator[None]:
    """Turn the database's own complaint about disk, rights and damage into one sentence."""
    try:
        yield
    except (sa.exc.OperationalError, sqlite3.OperationalError) as error:
        raise StoreUnwritable(f"the store cannot be written: {_complaint(error)}") from error
    except (sa.exc.DatabaseError, sqlite3.DatabaseError) as error:
        raise LedgerCorrupt(
            f"the store's file is damaged: {_complaint(error)}", hint=_RESTORE
        ) from error


@contextmanager
def reading() -> Iterator[None]:
    """Turn the database's own complaint about a file that cannot be read into one sentence."""
    try:
        yield
    except (sa.exc.DatabaseError, sqlite3.DatabaseError) as error:
        raise LedgerCorrupt(
            f"the store's file cannot be read: {_complaint(error)}", hint=_RESTORE
        ) from error


_RESTORE = "Restore ledger.sqlite from a copy; a file that is no database cannot be repaired."


def _complaint(error: Exception) -> str:
    return str(getattr(error, "orig", error))
