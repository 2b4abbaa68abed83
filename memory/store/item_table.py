"""Items of an application: JSON values under a namespace and a key, with vectors that they are found by.

They are the application's own data, changed in place and deleted for good. So they are rows of a table in the
store's file, and no events: a ledger that only grows would keep every value that was written over. A commit
survives a killed process; what was deleted is overwritten in the file, and emptied from its log.
"""

import base64
import json
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import Connection, Engine

from ...envs.errors import UsageError
from ..ledger.sqlite import flush, reading, transaction, writing
from .item_copy import ItemCopy

Place = tuple[str, ...]
_meta = sa.MetaData()
_items = sa.Table(
    "items",
    _meta,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("namespace", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("fields", sa.Text, nullable=False),
    sa.Column("encoder", sa.Text, nullable=False),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("updated", sa.Float, nullable=False),
    sa.Column("ttl", sa.Float),
    sa.Column("expires", sa.Float),
    sa.UniqueConstraint("namespace", "key"),
)
_vectors = sa.Table(
    "item_vectors",
    _meta,
    sa.Column("item", sa.Integer, nullable=False, index=True),
    sa.Column("vector", sa.LargeBinary, nullable=False),
)
_BATCH = 500


class StoredItem(NamedTuple):
    """One item."""

    namespace: Place
    key: str
    value: dict[str, Any]
    fields: tuple[str, ...]
    """Paths in the value that it is found by; empty: it is not searched by meaning."""
    created: float = 0.0
    """Seconds since 1970."""
    updated: float = 0.0
    ttl: float | None = None
    """Minutes that it lives after its last use; None: for ever."""
    encoder: str = ""
    """What made its vectors."""
    id: int = 0


class ItemTable:
    """The items of one store.

    Args:
        engine: Of the store's file.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._closed = False

    def close(self) -> None:
        """Write nothing from now on: another process may write to the store by then."""
        self._closed = True

    def _writing(self) -> AbstractContextManager[Connection]:
        if self._closed:
            raise UsageError("the store is closed")
        return transaction(self._engine)

    def create(self) -> None:
        """Create the tables where they are missing."""
        with writing():
            _meta.create_all(self._engine)

    def get(self, namespace: Place, key: str, now: float) -> StoredItem | None:
        """Return an item, None where there is none that lives."""
        here = sa.and_(_items.c.namespace == _written(namespace), _items.c.key == _plain(key))
        return next(iter(self._read(here, now)), None)

    def within(
        self, prefix: Place, now: float, *, limit: int | None = None, offset: int = 0
    ) -> list[StoredItem]:
        """Return the living items in a namespace and in those below it, oldest first."""
        return self._read(_below(prefix), now, limit=limit, offset=offset)

    def namespaces(self, now: float) -> list[Place]:
        """Return the namespaces that hold something that lives."""
        query = sa.select(_items.c.namespace).where(_lives(now)).distinct()
        with reading(), self._engine.connect() as connection:
            if not _there(connection):
                return []
            return [_read_place(said) for said in connection.scalars(query)]

    def vectors(self, prefix: Place, encoder: str) -> tuple[list[int], NDArray[np.float32]]:
        """Return an encoder's vectors in a namespace and below it: ids of their items, and shape (n, d)."""
        query = (
            sa.select(_vectors.c.item, _vectors.c.vector)
            .join(_items, _items.c.id == _vectors.c.item)
            .where(_below(prefix), _items.c.encoder == encoder)
        )
        with reading(), self._engine.connect() as connection:
            rows = list(connection.execute(query)) if _there(connection) else []
        if not rows:
            return [], np.zeros((0, 0), np.float32)
        found = np.frombuffer(b"".join(row.vector for row in rows), np.float32)
        return [row.item for row in rows], found.reshape(len(rows), -1)

    def write(
        self,
        puts: Sequence[tuple[StoredItem, Iterable[NDArray[np.float32]]]],
        deleted: Iterable[tuple[Place, str]],
        now: float,
    ) -> None:
        """Put and delete, in one transaction; what has expired goes too.

        Args:
            puts: Items, each with its vectors, of d numbers each. One that is there already keeps its place and
                the time at which it was made.
            deleted: Namespaces and keys; one that is not there is no error.
            now: Seconds since 1970.

        Raises:
            StoreUnwritable: The disk refuses; nothing of this call was stored.
            UsageError: The store is closed.
        """
        with self._writing() as connection:
            gone = self._delete(connection, sa.not_(_lives(now)))
            for namespace, key in deleted:
                here = _items.c.namespace == _written(namespace), _items.c.key == _plain(key)
                gone += self._delete(connection, sa.and_(*here))
            for item, vectors in puts:
                self._put(connection, item, vectors, now)
        if gone:
            flush(self._engine)

    def encoded(self, made: Sequence[tuple[StoredItem, NDArray[np.float32]]], encoder: str) -> None:
        """Give items that are there the vectors of another encoder, shape (n, d) each."""
        with self._writing() as connection:
            for item, vectors in made:
                here = sa.update(_items).where(_items.c.id == item.id)
                connection.execute(here.values(encoder=encoder))
                self._vectors_of(connection, item.id, vectors)

    def copies(self, now: float) -> list[ItemCopy]:
        """Return exact copies of the items that live, oldest first."""
        with reading(), self._engine.connect() as connection:
            if not _there(connection):
                return []
            vectors: dict[int, list[str]] = {}
            for row in connection.execute(sa.select(_vectors).order_by(sa.text("rowid"))):
                vectors.setdefault(row.item, []).append(base64.b64encode(row.vector).decode())
            query = sa.select(_items).where(_lives(now)).order_by(_items.c.id)
            rows = [dict(row) for row in connection.execute(query).mappings()]
        return [ItemCopy(vectors=tuple(vectors.get(row.pop("id"), ())), **row) for row in rows]

    def bring(self, copies: Iterable[ItemCopy], now: float) -> int:
        """Put copies as they are, where nothing that lives has their name; return how many.

        What expired meanwhile stays away.

        Raises:
            StoreUnwritable: The disk refuses; nothing of this call was stored.
        """
        brought = 0
        with self._writing() as connection:
            gone = self._delete(connection, sa.not_(_lives(now)))
            for copy in copies:
                if copy.expires is None or copy.expires > now:
                    row = copy.model_dump(exclude={"vectors"})
                    put = insert(_items).values(**row).on_conflict_do_nothing()
                    if (number := connection.scalar(put.returning(_items.c.id))) is not None:
                        brought += 1
                        self._keep_vectors(connection, number, copy.unpacked)
        if gone:
            flush(self._engine)
        return brought

    def used(self, items: Iterable[StoredItem], now: float) -> None:
        """Let items that expire live on from now."""
        rows = [{"old": item.id, "until": _until(item.ttl, now)} for item in items if item.ttl]
        if rows:
            here = sa.update(_items).where(_items.c.id == sa.bindparam("old"))
            with self._writing() as connection:
                connection.execute(here.values(expires=sa.bindparam("until")), rows)

    @staticmethod
    def _put(
        connection: Connection, item: StoredItem, vectors: Iterable[NDArray[np.float32]], now: float
    ) -> None:
        changed = {
            "value": json.dumps(item.value),
            "fields": json.dumps(item.fields),
            "encoder": item.encoder,
            "updated": now,
            "ttl": item.ttl,
            "expires": _until(item.ttl, now),
        }
        named = {"namespace": _written(item.namespace), "key": _plain(item.key)}
        put = insert(_items).values(**named, **changed, created=now)
        put = put.on_conflict_do_update(index_elements=list(named), set_=changed)
        number = connection.scalar(put.returning(_items.c.id))
        ItemTable._vectors_of(connection, number, vectors)

    @staticmethod
    def _vectors_of(
        connection: Connection, number: int | None, vectors: Iterable[NDArray[np.float32]]
    ) -> None:
        connection.execute(sa.delete(_vectors).where(_vectors.c.item == number))
        ItemTable._keep_vectors(connection, number, (vector.tobytes() for vector in vectors))

    @staticmethod
    def _keep_vectors(connection: Connection, number: int | None, vectors: Iterable[bytes]) -> None:
        rows = [{"item": number, "vector": vector} for vector in vectors]
        if rows:
            connection.execute(sa.insert(_vectors), rows)

    @staticmethod
    def _delete(connection: Connection, here: sa.ColumnElement[bool]) -> int:
        gone = list(connection.scalars(sa.select(_items.c.id).where(here)))
        for start in range(0, len(gone), _BATCH):
            ids = gone[start : start + _BATCH]
            connection.execute(sa.delete(_vectors).where(_vectors.c.item.in_(ids)))
            connection.execute(sa.delete(_items).where(_items.c.id.in_(ids)))
        return len(gone)

    def _read(
        self,
        here: sa.ColumnElement[bool],
        now: float,
        *,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[StoredItem]:
        query = sa.select(_items).where(here, _lives(now)).order_by(_items.c.id)
        query = query.limit(limit).offset(offset)
        with reading(), self._engine.connect() as connection:
            if not _there(connection):
                return []
            return [
                StoredItem(
                    namespace=_read_place(row.namespace),
                    key=json.loads(f'"{row.key}"'),
                    value=json.loads(row.value),
                    fields=tuple(json.loads(row.fields)),
                    created=row.created,
                    updated=row.updated,
                    ttl=row.ttl,
                    encoder=row.encoder,
                    id=row.id,
                )
                for row in connection.execute(query)
            ]


def _there(connection: Connection) -> bool:
    """Return whether the tables are there: a store of an earlier version, only looked at, lacks them."""
    return sa.inspect(connection).has_table(_items.name)


def _lives(now: float) -> sa.ColumnElement[bool]:
    return sa.or_(_items.c.expires.is_(None), _items.c.expires > now)


def _until(ttl: float | None, now: float) -> float | None:
    return None if ttl is None else now + 60 * ttl


def _plain(text: str) -> str:
    """Return a text in ASCII, whatever is in it, half characters too."""
    return json.dumps(text)[1:-1]


def _written(namespace: Place) -> str:
    """Return a namespace as text: what is below another begins with that one's text.

    >>> _written(("users", "ann"))
    '"users","ann",'
    """
    return "".join(f"{json.dumps(label)}," for label in namespace)


def _read_place(said: str) -> Place:
    return tuple(json.loads(f"[{said[:-1]}]"))


def _below(prefix: Place) -> sa.ColumnElement[bool]:
    said = _written(prefix)
    if not said:
        return sa.true()
    # every label begins with a quotation mark, and # is the character after it
    return sa.and_(_items.c.namespace >= said, _items.c.namespace < f"{said}#")
