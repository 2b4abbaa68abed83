"""SQLite: how a file is opened, how a write begins, and what its complaints mean in one sentence.

The only module that knows which database it is.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from .errors import LedgerCorrupt, StoreUnwritable


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
            cursor.execute("PRAGMA secure_delete=ON")  # what is forgotten is overwritten
        cursor.close()

    return engine


def flush(engine: Engine) -> bool:
    """Empty the write-ahead log into the file: what was deleted must not be read there.

    Returns:
        False while somebody who reads still needs the log.
    """
    with writing(), engine.connect() as connection:
        busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar_one()
        return not busy


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """Begin a write that no other writer can come between, and commit it at the end.

    Raises:
        StoreUnwritable: The disk is full or read-only, or another writer held the file for 30 s.
        LedgerCorrupt: The file is no sound database.
    """
    with writing(), engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection
        connection.commit()


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
        if "no such column" in _complaint(error):
            raise StoreUnwritable(
                "the ledger has the form of an earlier Lichen",
                hint="That form is read no more: learn anew in another --store.",
            ) from error
        raise LedgerCorrupt(
            f"the store's file cannot be read: {_complaint(error)}", hint=_RESTORE
        ) from error


_RESTORE = "Restore ledger.sqlite from a copy; a file that is no database cannot be repaired."


def _complaint(error: Exception) -> str:
    return str(getattr(error, "orig", error))
