"""Where the graph's checkpoints are: one SQLite file, which only helps to resume and may be lost."""

import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

from ...memory.ledger.errors import StoreUnwritable
from ...memory.ledger.sqlite import writing
from ...memory.store.made_from import ANY, made_from
from .graph import Graph, build

FOLDER = "checkpoints"
"""In a store; forgetting any episode removes it."""
_log = logging.getLogger(__name__)


@asynccontextmanager
async def open_graph(folder: Path) -> AsyncIterator[Graph]:
    """Open the graph with its checkpointer in a store's folder.

    Raises:
        StoreUnwritable: The disk refuses.
    """
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    try:
        # what was seen in episodes is in it, also after they ended
        made_from(folder / FOLDER, [ANY])
        (folder / FOLDER).chmod(0o700)
    except OSError as error:
        raise StoreUnwritable(f"the store {folder} cannot be written: {error}") from error
    path = folder / FOLDER / "checkpoints.sqlite"
    set_aside_if_broken(path)
    with writing():
        async with AsyncSqliteSaver.from_conn_string(str(path)) as checkpointer:
            yield build(checkpointer)


def set_aside_if_broken(path: Path) -> None:
    """Move a checkpoint file that is no database out of the way: it only helps to resume."""
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        return  # the disk or another process: said where it is written to
    except sqlite3.DatabaseError as error:
        aside = path.with_suffix(".broken")
        path.replace(aside)
        _log.warning(
            "%s is damaged (%s): it was moved to %s, and episodes begin anew",
            path,
            error,
            aside.name,
        )
