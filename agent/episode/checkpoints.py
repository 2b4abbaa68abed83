"""Where the graph's checkpoints are: one SQLite file, which only helps to resume and may be lost."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from ...memory.ledger.errors import StoreUnwritable
from ...memory.ledger.sqlite import writing
from ...memory.store.made_from import ANY, made_from, stays
from .graph import Graph, build

FOLDER = "checkpoints"
"""In a store; forgetting any episode removes it."""
_WAIT = 30.0
"""Seconds that a write waits for another one."""
_log = logging.getLogger(__name__)


@asynccontextmanager
async def open_graph(folder: Path) -> AsyncIterator[Graph]:
    """Open the graph with its checkpointer in a store's folder.

    Raises:
        StoreUnwritable: The disk refuses.
    """
    from aiosqlite import Connection
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    with writing():
        file = await asyncio.to_thread(_opened, folder / FOLDER)
        async with Connection(lambda: file, iter_chunk_size=64) as connection:
            yield build(AsyncSqliteSaver(connection))


class SharedGraph:
    """One open graph for all episodes that run at once: their writes to its file queue up, and none starves.

    SQLite lets connections of their own wait for each other in no order: of 64 some waited for half a minute.

    Args:
        folder: Of the store.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[asyncio.AbstractEventLoop, _HeldGraph] = {}

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Graph]:
        """Open it, or join those of this event loop that have it open; the last one closes it.

        Raises:
            StoreUnwritable: The disk refuses.
        """
        loop = asyncio.get_running_loop()
        held = self._held.setdefault(loop, _HeldGraph(self._folder))
        held.users += 1
        try:
            yield await held.graph()
        finally:
            held.users -= 1
            if not held.users:
                del self._held[loop]
                await held.stack.aclose()


class _HeldGraph:
    """A graph that episodes of one event loop share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = asyncio.Lock()
        self._graph: Graph | None = None
        self.stack = AsyncExitStack()
        self.users = 0

    async def graph(self) -> Graph:
        """Return it, opened once."""
        async with self._lock:
            if self._graph is None:
                self._graph = await self.stack.enter_async_context(open_graph(self._folder))
            return self._graph


def _opened(folder: Path) -> sqlite3.Connection:
    """Return an open connection to the file in a folder; both are made where they are not there.

    Its files stay usable when someone forgets and they are removed, which does not happen in between.
    One that is no database is moved out of the way: it only helps to resume.
    """
    path = folder / "checkpoints.sqlite"
    with stays:
        try:
            made_from(folder, [ANY])  # what was seen in episodes is in it, also after they ended
            folder.chmod(0o700)
        except OSError as error:
            raise StoreUnwritable(
                f"the store {folder.parent} cannot be written: {error}"
            ) from error
        try:
            return _with_log(path)
        except sqlite3.OperationalError:
            raise  # the disk or another process
        except sqlite3.DatabaseError as error:
            aside = path.with_suffix(".broken")
            path.replace(aside)
            _log.warning(
                "%s is damaged (%s): it was moved to %s, and episodes begin anew",
                path,
                error,
                aside.name,
            )
            return _with_log(path)


def _with_log(path: Path) -> sqlite3.Connection:
    """Open the file, and begin its write-ahead log, if it has none yet.

    The saver does that too, at its first use; but SQLite does not wait for a lock to begin a log, so of two
    connections that ask for one at once, one fails. Where there is a log, they ask for nothing.
    """
    connection = sqlite3.connect(path, timeout=_WAIT, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode=WAL").fetchone()
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return connection
