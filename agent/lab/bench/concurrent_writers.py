"""`lichen bench concurrency`: several processes write one ledger; beside it LangGraph's BaseStore.

Every process appends events, some of them twice, and reads each back in a connection of its own. On the
other side every process counts up one item of a `SqliteStore` the way its interface allows: get, add, put.
"""

import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from ....envs.types import Record
from ....memory.ledger.events import RunEnded
from ....memory.ledger.ledger import Entry, Ledger
from ....memory.ledger.sqlite import open_sqlite
from .machine import machine, version

AGAIN = 10
"""Every tenth event is appended twice: the key must keep it single."""
_SPACE, _ITEM = ("bench",), "counter"


class Writer(Record):
    """What one process saw."""

    seconds: float
    stale: int
    """Reads that did not find what was acknowledged before."""
    errors: int


def bench_concurrency(
    *, procs: int = 8, ops: int = 1000, say: Callable[[str], None] = print
) -> dict[str, Any]:
    """Measure and return the table.

    Args:
        procs: Processes that write at the same time.
        ops: Writes of each.
        say: Told what is going on.

    Returns:
        `{"bench", "version", "machine", "rows", "ratio", "holds"}`; `ratio` is the share of the writes that
        the other side lost, `holds` whether the ledger lost, doubled and hid nothing.
    """
    with tempfile.TemporaryDirectory() as folder:
        say(f"{procs} processes append {ops} events each to one ledger ...")
        file = Path(folder) / "ledger.sqlite"
        ledger = Ledger(open_sqlite(file), time.time)
        ledger.create()
        ours = _run(_append, file, procs, ops)
        keys = [row.key for row in ledger.read()]
        wanted = {f"{p}/{i}" for p in range(procs) for i in range(ops)}
        row = {
            "what": "Lichen's ledger",
            "writes": procs * ops,
            "lost": len(wanted - set(keys)),
            "doubled": len(keys) - len(set(keys)),
            "stale reads": sum(w.stale for w in ours),
            "errors": sum(w.errors for w in ours),
            "damaged": len(ledger.damage()),
            "writes/s": procs * ops / max(w.seconds for w in ours),
        }
        say(f"{procs} processes count to {ops} each in one item of a BaseStore ...")
        other = Path(folder) / "store.sqlite"
        with _base_store(other) as store:
            store.setup()
            store.put(_SPACE, _ITEM, {"count": 0})
        theirs = _run(_count, other, procs, ops)
        with _base_store(other) as store:
            item = store.get(_SPACE, _ITEM)
            counted = int(item.value["count"]) if item else 0
        lost = procs * ops - counted
        beside = {
            "what": "LangGraph SqliteStore, get and put",
            "writes": procs * ops,
            "lost": lost,
            "stale reads": sum(w.stale for w in theirs),
            "errors": sum(w.errors for w in theirs),
            "writes/s": procs * ops / max(w.seconds for w in theirs),
        }
    bad = ("lost", "doubled", "stale reads", "errors", "damaged")
    return {
        "bench": "concurrency",
        "version": version(),
        "machine": machine(),
        "rows": [row, beside],
        "ratio": lost / (procs * ops),
        "holds": all(row[name] == 0 for name in bad),
    }


def _run(work: Callable[..., None], file: Path, procs: int, ops: int) -> list[Writer]:
    context = get_context("spawn")
    barrier, answers = context.Barrier(procs), context.Queue()
    started = [
        context.Process(target=work, args=(str(file), number, ops, barrier, answers))
        for number in range(procs)
    ]
    for process in started:
        process.start()
    found = [Writer.model_validate(answers.get(timeout=600)) for _ in started]
    for process in started:
        process.join()
    return found


def _append(file: str, number: int, ops: int, barrier: Barrier, answers: Any) -> None:
    ledger = Ledger(open_sqlite(Path(file)), time.time)
    stale = errors = after = 0
    barrier.wait()
    begun = time.perf_counter()
    for i in range(ops):
        event = RunEnded(fingerprint=str(number), episodes=i)
        entry = Entry(f"{number}/{i}", f"run-{number}", "", event, actor=f"process-{number}")
        errors += ledger.append([entry]) != 1
        if i % AGAIN == 0:
            errors += ledger.append([entry]) != 0
        seen = [(row.seq, row.key) for row in ledger.read(run=f"run-{number}", after=after)]
        stale += [key for _, key in seen] != [entry.key]
        after = seen[-1][0] if seen else after
    seconds = time.perf_counter() - begun
    answers.put({"seconds": seconds, "stale": stale, "errors": errors})


def _count(file: str, number: int, ops: int, barrier: Barrier, answers: Any) -> None:
    stale = errors = last = 0
    barrier.wait()
    begun = time.perf_counter()
    with _base_store(Path(file)) as store:
        for _ in range(ops):
            try:
                item = store.get(_SPACE, _ITEM)
                count = int(item.value["count"]) if item else 0
                stale += count < last  # somebody wrote an older number over ours
                store.put(_SPACE, _ITEM, {"count": count + 1})
                last = count + 1
            except sqlite3.OperationalError:
                errors += 1
    answers.put({"seconds": time.perf_counter() - begun, "stale": stale, "errors": errors})


@contextmanager
def _base_store(file: Path) -> Iterator[Any]:
    from langgraph.store.sqlite import SqliteStore

    with closing(
        sqlite3.connect(file, check_same_thread=False, isolation_level=None, timeout=30)
    ) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        yield SqliteStore(connection)
