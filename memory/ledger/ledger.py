"""The append-only ledger: the one truth of everything learned.

Rows are chained by hashes, so a changed, lost or swapped row shows. It knows nothing of cases: what is
folded from it lives in `fold`.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
from pydantic_core import PydanticSerializationError
from sqlalchemy.engine import Connection, Engine

from ...envs.text import whole_values
from .errors import LedgerCorrupt, StoreUnwritable
from .event_rows import FORGOTTEN, events, make_row, meta, timings
from .events import Event, Origin, parse
from .row_checks import damage, read_parents
from .sqlite import open_sqlite, reading, transaction, writing

_BATCH = 500
_HEAD = 60
"""Characters of a payload in which its type stands."""


@dataclass(frozen=True)
class Entry:
    """An event to append."""

    key: str
    """Idempotency key: the same key is written once, however often it is appended."""
    run: str
    episode: str
    event: Event
    actor: str = "agent"
    """Who wrote it: `agent`, `person`, or a name of the caller's."""
    origin: Origin = "own"
    """Where the evidence comes from."""
    parents: tuple[str, ...] = ()
    """Keys of the events that caused it."""
    took_ms: float | None = None
    """What the call behind it took; kept beside the event (see `event_rows.timings`)."""


class LedgerRow(NamedTuple):
    """A stored event with its place."""

    seq: int
    id: str
    """UUIDv7."""
    key: str
    run: str
    episode: str
    actor: str
    origin: str
    parents: tuple[str, ...]
    at: float
    """Seconds since 1970, for people; never folded."""
    event: Event | None
    """None when the content was forgotten, or is no event."""
    problem: str = ""
    """Why the row is no event; it is set aside, and its episode is not learned from."""


def read_row(row: Mapping[str, Any]) -> LedgerRow:
    """Return a row as it is stored, with its event or why it is none."""
    event: Event | None = None
    parents: tuple[str, ...] = ()
    problem = ""
    try:
        parents = read_parents(row["parents"])
        event = None if row["payload"] == FORGOTTEN else parse(row["payload"])
    except (ValueError, TypeError, RecursionError) as error:
        problem = f"row {row['seq']} of the ledger is not an event: {error}"
    named = {name: row[name] for name in ("seq", "id", "key", "run", "episode", "actor", "origin")}
    return LedgerRow(**named, parents=parents, at=row["at"], event=event, problem=problem)


def _payload(event: Event) -> str:
    """Return an event as JSON; half characters, which UTF-8 cannot write, are replaced."""
    try:
        return event.model_dump_json()
    except PydanticSerializationError:
        plain = whole_values(event.model_dump())
        return type(event).model_validate(plain).model_dump_json()


class Ledger:
    """Append and read events.

    Args:
        engine: An engine from `open_sqlite`; several may be open on one file, in several processes.
        clock: Returns the time in seconds since 1970, stored for people and never folded.
    """

    def __init__(self, engine: Engine, clock: Callable[[], float]) -> None:
        self._engine = engine
        self._clock = clock

    def create(self) -> None:
        """Create the tables where they are missing."""
        with writing():
            meta.create_all(self._engine)

    def append(self, entries: Sequence[Entry]) -> int:
        """Append events in one transaction and return how many were new.

        An entry whose key is already stored is skipped: a resumed run may append again.

        Raises:
            StoreUnwritable: The disk is full or read-only; nothing of this call was stored.
        """
        if not entries:
            return 0
        with transaction(self._engine) as connection:
            return self._insert(connection, entries)

    def _insert(self, connection: Connection, entries: Sequence[Entry]) -> int:
        seq, chain = self._last(connection)
        known = set(
            connection.scalars(
                sa.select(events.c.key).where(events.c.key.in_([e.key for e in entries]))
            )
        )
        rows = []
        for entry in entries:
            if entry.key in known:
                continue
            known.add(entry.key)
            seq += 1
            row = make_row(
                chain,
                seq=seq,
                key=entry.key,
                run=entry.run,
                episode=entry.episode,
                actor=entry.actor,
                origin=entry.origin,
                parents=entry.parents,
                payload=_payload(entry.event),
                at=self._clock(),
            )
            chain = row["chain"]
            rows.append(row)
        if rows:
            connection.execute(sa.insert(events), rows)
            new = {row["key"] for row in rows}
            took = [
                {"key": e.key, "ms": e.took_ms}
                for e in entries
                if e.took_ms is not None and e.key in new
            ]
            if took:
                connection.execute(sa.insert(timings), took)
        return len(rows)

    @staticmethod
    def _last(connection: Connection) -> tuple[int, str]:
        last = connection.execute(
            sa.select(events.c.seq, events.c.chain).order_by(events.c.seq.desc()).limit(1)
        ).first()
        return (last.seq, last.chain) if last else (0, "")

    def forget(self, connection: Connection, episodes: Sequence[str], why: Sequence[Entry]) -> int:
        """Remove the content of episodes' events for good and append why.

        Their rows, keys and digests stay, so that the chain still shows that nothing else was touched.

        Args:
            connection: In a transaction, which is the caller's.
            episodes: Their ids.
            why: What says that they were forgotten.

        Returns:
            How many events lost their content.
        """
        gone = 0
        for start in range(0, len(episodes), _BATCH):
            here = events.c.episode.in_(episodes[start : start + _BATCH])
            emptied = sa.update(events).where(here, events.c.payload != FORGOTTEN)
            gone += connection.execute(emptied.values(payload=FORGOTTEN)).rowcount
            keys = sa.select(events.c.key).where(here)
            connection.execute(sa.delete(timings).where(timings.c.key.in_(keys)))
        self._insert(connection, why)
        return gone

    def read(
        self,
        *,
        after: int = 0,
        until: int | None = None,
        run: str | None = None,
        episode: str | None = None,
        since: float | None = None,
        types: Sequence[str] = (),
    ) -> Iterator[LedgerRow]:
        """Yield events in order.

        Args:
            after: Only later rows.
            until: Only this row and earlier ones.
            run: Only this run's.
            episode: Only this episode's.
            since: Only rows written since then, in seconds since 1970.
            types: Only events of these types; all when empty.

        A row that is no event comes with its problem.
        """
        query = sa.select(events).where(events.c.seq > after).order_by(events.c.seq)
        if until is not None:
            query = query.where(events.c.seq <= until)
        if run is not None:
            query = query.where(events.c.run == run)
        if episode is not None:
            query = query.where(events.c.episode == episode)
        if since is not None:
            query = query.where(events.c.at >= since)
        if types:
            head = sa.func.substr(events.c.payload, 1, _HEAD)  # version and type stand first
            query = query.where(sa.or_(*(head.contains(f'"type":"{name}"') for name in types)))
        with reading(), self._engine.connect() as connection:
            for row in connection.execute(query):
                yield read_row(dict(row._mapping))

    def count_episodes(self, beginning: str) -> int:
        """Return how many episodes have ids with this beginning."""
        ids = events.c.episode
        last = beginning[:-1] + chr(ord(beginning[-1]) + 1)
        query = sa.select(sa.func.count(sa.distinct(ids))).where(ids >= beginning, ids < last)
        with reading(), self._engine.connect() as connection:
            return connection.scalar(query) or 0

    def chain(self, seq: int) -> str:
        """Return the chain hash of a row, empty when there is none."""
        query = sa.select(events.c.chain).where(events.c.seq == seq)
        with reading(), self._engine.connect() as connection:
            return connection.scalar(query) or ""

    def timings(self) -> dict[str, float]:
        """Return what calls took, in milliseconds, by the key of their event."""
        with reading(), self._engine.connect() as connection:
            if not sa.inspect(connection).has_table(
                timings.name
            ):  # an earlier ledger, only looked at
                return {}
            return {row.key: row.ms for row in connection.execute(sa.select(timings))}

    def head(self) -> int:
        """Return the number of the last row, 0 when there is none."""
        with reading(), self._engine.connect() as connection:
            return connection.scalar(sa.select(sa.func.max(events.c.seq))) or 0

    def raw(self) -> Iterator[dict[str, Any]]:
        """Yield every row as it is stored, in order: for exact copies."""
        with reading(), self._engine.connect() as connection:
            for row in connection.execute(sa.select(events).order_by(events.c.seq)):
                yield dict(row._mapping)

    def restore(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> int:
        """Write the rows of an exact copy into this ledger, which must be empty or their beginning.

        What the copy forgot since is forgotten here too.

        Args:
            connection: In a transaction, which is the caller's.
            rows: Sound ones (see `row_checks.damage`).

        Returns:
            How many were new.

        Raises:
            LedgerCorrupt: The copy does not go on where this ledger ends.
        """
        seq, chain = self._last(connection)
        if seq > len(rows) or (seq and rows[seq - 1]["chain"] != chain):
            raise LedgerCorrupt(
                f"the copy is of another ledger: they differ at or before row {seq}",
                hint="Import it into a store of its own with --store.",
            )
        for row in rows[:seq]:
            if row["payload"] == FORGOTTEN:
                here = events.c.seq == row["seq"]
                connection.execute(sa.update(events).where(here).values(payload=FORGOTTEN))
        if rows[seq:]:
            connection.execute(sa.insert(events), list(rows[seq:]))
        return len(rows) - seq

    def damage(self) -> list[str]:
        """Return one sentence per damaged row: unreadable, changed, missing or out of order."""
        return damage(self.raw())


def open_ledger(folder: Path) -> Ledger:
    """Return the ledger of a store for reading, however damaged the rest is.

    Raises:
        StoreUnwritable: There is no store.
    """
    file = folder / "ledger.sqlite"
    if not file.exists():
        raise StoreUnwritable(
            f"there is no store in {folder}", hint="`lichen run SUITE` makes one."
        )
    return Ledger(open_sqlite(file, read_only=True), time.time)
