"""The case table: every held record as JSON, derived from the ledger, compared with it and repaired."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from ..ledger.records import MemoryRecord
from ..ledger.sqlite import reading, writing

_meta = sa.MetaData()
_cases = sa.Table(
    "held",
    _meta,
    sa.Column("place", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.Text, nullable=False, unique=True),
    sa.Column("grain", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
)
_BATCH = 500


class StoredRecord(NamedTuple):
    """A row of the table."""

    place: int
    id: str
    grain: str
    """Name of the record's class."""
    payload: str


class CaseTable:
    """The table of one store.

    Args:
        engine: Of the store's file.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create(self) -> None:
        """Create the table where it is missing; that of an earlier form is dropped, it is derived."""
        with writing(), self._engine.begin() as connection:
            connection.execute(sa.text("DROP TABLE IF EXISTS cases"))
            _meta.create_all(connection)

    def put(self, cases: Sequence[MemoryRecord]) -> None:
        """Add or replace cases; they get the last places, in their order."""
        rows = [
            {"id": c.id, "grain": type(c).__name__, "payload": c.model_dump_json()} for c in cases
        ]
        with writing(), self._engine.begin() as connection:
            self._delete(connection, [row["id"] for row in rows])
            if rows:
                connection.execute(sa.insert(_cases), rows)

    def remove(self, cases: Sequence[MemoryRecord]) -> None:
        """Remove cases."""
        with writing(), self._engine.begin() as connection:
            self._delete(connection, [case.id for case in cases])

    @staticmethod
    def _delete(connection: sa.Connection, ids: Sequence[str]) -> None:
        for start in range(0, len(ids), _BATCH):
            part = ids[start : start + _BATCH]
            connection.execute(sa.delete(_cases).where(_cases.c.id.in_(part)))

    def empty(self, connection: Connection) -> None:
        """Remove every row; what the store should hold is written when it is opened or repaired."""
        connection.execute(sa.delete(_cases))

    def anew(self, cases: Sequence[MemoryRecord]) -> None:
        """Make the table hold exactly these cases."""
        with writing(), self._engine.begin() as connection:
            connection.execute(sa.delete(_cases))
        self.put(cases)

    def rows(self, *, after: int = 0, until: int | None = None) -> Iterator[StoredRecord]:
        """Yield the rows in their order, those after a place and up to another."""
        query = sa.select(_cases).where(_cases.c.place > after).order_by(_cases.c.place)
        if until is not None:
            query = query.where(_cases.c.place <= until)
        with reading(), self._engine.connect() as connection:
            if not sa.inspect(connection).has_table(
                _cases.name
            ):  # an earlier store, only looked at
                return
            for row in connection.execute(query):
                yield StoredRecord(row.place, row.id, row.grain, row.payload)

    def last(self) -> int:
        """Return the last place, 0 when the table is empty."""
        with reading(), self._engine.connect() as connection:
            return connection.scalar(sa.select(sa.func.max(_cases.c.place))) or 0

    def damage(self, cases: Iterable[MemoryRecord], *, after: int = 0) -> list[str]:
        """Return one sentence per difference between folded cases and the rows after a place."""
        folded = {case.id: case for case in cases}
        with reading(), self._engine.connect() as connection:
            if not sa.inspect(connection).has_table(_cases.name):
                if not folded:  # practice keeps no cases, and makes no table for them
                    return []
                return [
                    "the case table is of an earlier Lichen; it is made anew when a command that writes "
                    "opens the store"
                ]
        stored = {row.id: row.payload for row in self.rows(after=after)}
        found = [f"case {i} is missing from the case table" for i in folded if i not in stored]
        found += [f"case {i} is in no episode of the ledger" for i in stored if i not in folded]
        found += [
            f"case {i} differs from the ledger"
            for i, case in folded.items()
            if i in stored and stored[i] != case.model_dump_json()
        ]
        return found


def rows_digest(rows: Iterable[StoredRecord]) -> str:
    """Return a hash over rows, in their order."""
    told = hashlib.sha256()
    for row in rows:
        told.update(f"{row.place}\x1f{row.id}\x1f{row.grain}\x1f{row.payload}\x1e".encode())
    return told.hexdigest()[:32]
