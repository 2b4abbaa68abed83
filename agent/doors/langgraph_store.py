"""LangGraph: a store for its graphs, langmem and deepagents, that lies in the folder of Lichen's memory.

    store = LichenStore("desk")
    graph = builder.compile(store=store)
    store.put(("users", "ann"), "taste", {"likes": "short answers"})
    store.search(("users",), query="how does she like it?")

Items are rows of a table beside the ledger; `memory/store/item_table.py` says why they are no events. Search by
meaning compares with every vector of the namespace, by the memory's own embedder.

Under the namespace `("skills",)` the skill library is shown, each file of a skill as deepagents' `StoreBackend`
expects it, and cannot be changed: what a skill is, tests and people decide.
"""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from operator import ge, gt, le, lt
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from langgraph.store.base import (
    BaseStore,
    GetOp,
    Item,
    ListNamespacesOp,
    Op,
    PutOp,
    Result,
    SearchItem,
    SearchOp,
    TTLConfig,
    get_text_at_path,
    validate_op_namespace,
)
from numpy.typing import NDArray

from ...envs.errors import UsageError
from ...memory.memory import Memory
from ...memory.store.item_table import Place, StoredItem
from ...memory.store.store import Store
from ..skill_actions.open_library import FOLDER
from .skill_files import SKILLS, SkillFiles

WHOLE = "$"
"""The path of a whole value."""
_COMPARED = {"$gt": gt, "$gte": ge, "$lt": lt, "$lte": le}


class LichenStore(BaseStore):
    """A LangGraph store in a folder of Lichen's; usable from any thread and event loop of one process.

    Args:
        store: A folder, made where it is missing; or an opened store or memory, which its owner closes.
        fields: Paths in values that items are found by, as LangGraph writes them (`text`, `notes[*].body`).
        ttl: LangGraph's settings of what expires: `default_ttl` (minutes), `refresh_on_read`. What has
            expired is never returned, and leaves the file at the next write.
        library: Folder of the skill library that is shown; `skills` in the store when None.
        clock: Seconds since 1970.

    Raises:
        StoreInUse: Another process writes to it.
        StoreUnwritable: The folder or the disk refuses.
    """

    supports_ttl = True

    def __init__(
        self,
        store: Path | str | Store | Memory,
        *,
        fields: Sequence[str] = (WHOLE,),
        ttl: TTLConfig | None = None,
        library: Path | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        store = store.store if isinstance(store, Memory) else store
        self._own = not isinstance(store, Store)
        self._store = store if isinstance(store, Store) else Store(store)
        self.ttl_config = ttl
        self._fields, self._clock = tuple(fields), clock
        self._skills = SkillFiles(library or self._store.folder / FOLDER, self._store.embedder)
        self._lock = threading.RLock()

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Do operations: what is read is as it was before them, what is written is written at once or not.

        Raises:
            InvalidNamespaceError: A name in a namespace cannot be one; nothing was done.
            UsageError: A value is no JSON, or the namespace is that of the skills; nothing was done.
            StoreUnwritable: The disk refuses; nothing was stored.
        """
        asked, now = list(ops), self._clock()
        for op in asked:
            validate_op_namespace(op)
        with self._lock:
            results = [self._read(op, now) for op in asked]
            puts = {(op.namespace, op.key): op for op in asked if isinstance(op, PutOp)}
            if puts:
                self._write(list(puts.values()), now)
        return results

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Do operations beside the event loop; see `batch`."""
        return await asyncio.to_thread(self.batch, list(ops))

    def close(self) -> None:
        """Close the store, where it was opened here; calling it twice is allowed."""
        if self._own:
            self._store.close()

    def __enter__(self) -> "LichenStore":
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    def _read(self, op: Op, now: float) -> Result:
        if isinstance(op, GetOp):
            return self._get(op, now)
        if isinstance(op, SearchOp):
            return self._search(op, now)
        if isinstance(op, ListNamespacesOp):
            return self._listed(op, now)
        if isinstance(op, PutOp):
            return None
        raise ValueError(f"{type(op).__name__} is no operation of a store")

    def _get(self, op: GetOp, now: float) -> Item | None:
        if op.namespace == SKILLS:
            return next((shown(i) for i in self._skills.items() if i.key == op.key), None)
        found = self._store.items.get(op.namespace, op.key, now)
        if found is not None and op.refresh_ttl:
            self._used([found], now)
        return shown(found) if found is not None else None

    def _search(self, op: SearchOp, now: float) -> list[SearchItem]:
        prefix = tuple(op.namespace_prefix)
        skills = self._skills.items() if SKILLS[: len(prefix)] == prefix else []
        plain = not (op.query or op.filter or skills)
        page = {"limit": op.limit, "offset": op.offset} if plain else {}
        found = [*self._store.items.within(prefix, now, **page), *skills]
        if op.filter:
            found = [item for item in found if _fits(item.value, op.filter)]
        scores: Mapping[int, float] = {}
        if op.query:
            scores = self._scores(op.query, prefix, found)
            found.sort(key=lambda item: -scores.get(item.id, -np.inf))
        if not plain:
            found = found[op.offset : op.offset + op.limit]
        if op.refresh_ttl:
            self._used(found, now)
        return [SearchItem(**shown(item).dict() | {"score": scores.get(item.id)}) for item in found]

    def _scores(self, query: str, prefix: Place, found: list[StoredItem]) -> dict[int, float]:
        """Return the best cosine of each item with a query, by id; what is not indexed has none."""
        encoder = self._store.embedder.name
        old = [item for item in found if item.fields and item.encoder != encoder and item.id > 0]
        if old and not self._store.read_only:
            self._store.items.encoded([(item, self._vectors(item)) for item in old], encoder)
        ids, vectors = self._store.items.vectors(prefix, encoder)
        scores = self._skills.scores(query) if any(item.id < 0 for item in found) else {}
        if ids:
            near = vectors @ self._store.embedder.query(query)
            for item, score in zip(ids, near.tolist(), strict=True):
                scores[item] = max(score, scores.get(item, -1.0))
        return scores

    def _listed(self, op: ListNamespacesOp, now: float) -> list[Place]:
        here = {*self._store.items.namespaces(now), *([SKILLS] if self._skills.items() else [])}
        for condition in op.match_conditions or ():
            here = {n for n in here if _matches(n, condition.path, condition.match_type)}
        if op.max_depth is not None:
            here = {name[: op.max_depth] for name in here}
        return sorted(here)[op.offset : op.offset + op.limit]

    def _write(self, ops: Sequence[PutOp], now: float) -> None:
        if self._store.read_only:
            raise UsageError("this store was opened read-only", hint="Open it without read_only.")
        puts, deleted = [], []
        for op in ops:
            if op.namespace == SKILLS:
                raise UsageError(
                    "the skill library cannot be changed here",
                    hint="`lichen skills` does, after its tests; other data has another namespace.",
                )
            if op.value is None:
                deleted.append((op.namespace, op.key))
                continue
            item = StoredItem(
                namespace=op.namespace,
                key=op.key,
                value=_json(op.value),
                fields=self._paths(op.index),
                ttl=op.ttl,
                encoder=self._store.embedder.name,
            )
            puts.append((item, self._vectors(item)))
        self._store.items.write(puts, deleted, now)

    def _paths(self, index: Any) -> tuple[str, ...]:
        if index is False:
            return ()
        return self._fields if index is None else tuple(index)

    def _vectors(self, item: StoredItem) -> NDArray[np.float32]:
        """Return the vectors of an item's texts, shape (n, d)."""
        texts = [text for path in item.fields for text in get_text_at_path(item.value, path)]
        if not texts:
            return np.zeros((0, 0), np.float32)
        return self._store.embedder.unkept(texts)

    def _used(self, items: Iterable[StoredItem], now: float) -> None:
        if not self._store.read_only:
            self._store.items.used(items, now)


def shown(item: StoredItem) -> Item:
    """Return an item as LangGraph has it."""
    return Item(
        value=item.value,
        key=item.key,
        namespace=item.namespace,
        created_at=datetime.fromtimestamp(item.created, UTC),
        updated_at=datetime.fromtimestamp(item.updated, UTC),
    )


def _json(value: Mapping[str, Any]) -> dict[str, Any]:
    try:
        plain: dict[str, Any] = json.loads(json.dumps(dict(value)))
    except (TypeError, ValueError) as error:
        raise UsageError(f"a value that is put has to be JSON: {error}") from error
    return plain


def _matches(name: Place, path: Sequence[str], kind: str) -> bool:
    part = name[: len(path)] if kind == "prefix" else name[-len(path) :] if path else ()
    return len(part) == len(path) and all(
        wanted in ("*", label) for wanted, label in zip(path, part, strict=True)
    )


def _fits(value: Any, wanted: Any) -> bool:
    """Return whether a value fits a filter; what cannot be compared with a number does not."""
    if isinstance(wanted, Mapping):
        if any(str(name).startswith("$") for name in wanted):
            return all(_holds(value, name, other) for name, other in wanted.items())
        return isinstance(value, Mapping) and all(
            _fits(value.get(name), other) for name, other in wanted.items()
        )
    if isinstance(wanted, list | tuple):
        return (
            isinstance(value, list) and len(value) == len(wanted) and all(map(_fits, value, wanted))
        )
    return bool(value == wanted)


def _holds(value: Any, operator: str, other: Any) -> bool:
    if operator in ("$eq", "$ne"):
        return bool(value == other) == (operator == "$eq")
    if operator not in _COMPARED:
        raise ValueError(
            f"{operator!r} is no operator of a filter: $eq, $ne, {', '.join(_COMPARED)}"
        )
    try:
        return bool(_COMPARED[operator](float(value), float(other)))
    except (TypeError, ValueError):
        return False
