"""What the pages look at: a store, and the skill library beside it; and how they change them."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from .....envs.errors import UsageError
from .....memory.ledger.records import MemoryRecord
from .....memory.likeness.embedder import Embedder
from .....memory.store.store import Store
from .....memory.store.watched_store import WatchedStore
from ....config import AgentConfig
from ....skill_actions.open_library import FOLDER, OpenLibrary
from .episode_log import EpisodeLog
from .memory_list import CaseLists
from .past import Past
from .slow_work import SlowWork

T = TypeVar("T")
_LARGE = 2_000
"""Records whose index takes longer than a page may."""
Changing = Callable[[Callable[[Store], Any]], Awaitable[Any]]
"""Does something with the store that is open for writing, where nothing else is done with it meanwhile."""

Approving = Callable[[str, bool, str], Awaitable[Any]]
"""Goes on with a request: its id, whether its call is approved, and why."""


class Inspected:
    """A store that is looked at while whoever has it open writes to it.

    Looking happens in threads, over a read-only view that takes in what was written since; so pages neither
    wait for the agent nor hold it up.

    Args:
        config: Settings: where the store and its library are.
        embedder: Of texts.
        change: How the store is changed; None: it is only looked at.
        why_not: Why it is only looked at, in one sentence.
        approve: Tells the agent what a person said of a call that waits; None: no agent is at hand.
    """

    def __init__(
        self,
        config: AgentConfig,
        embedder: Embedder,
        change: Changing | None = None,
        why_not: str = "",
        approve: Approving | None = None,
    ) -> None:
        self.config = config
        self.folder: Path = config.store
        self.why_not = why_not
        self.approve = approve
        self.embedder = embedder
        self.log = EpisodeLog(self.folder)
        self.lists = CaseLists()
        self.past = Past(self.folder, embedder)
        self.slow = SlowWork()
        self._change = change
        self._seen: WatchedStore | None = None
        self._lock = threading.Lock()
        self._library: OpenLibrary | None = None
        self._library_lock = threading.RLock()
        self._ending = threading.Event()

    def warm(self) -> None:
        """Read what is there, so that the first page need not wait for it."""
        self.log.lines()
        if (self.folder / "ledger.sqlite").exists():
            with self._lock:
                self.seen()

    def end(self) -> None:
        """Let streams end: the server was told to, and an open page would hold it up."""
        self._ending.set()

    @property
    def ending(self) -> bool:
        """Whether the server was told to end."""
        return self._ending.is_set()

    @property
    def may_change(self) -> bool:
        """Whether the store can be changed here, by whoever may."""
        return self._change is not None

    @property
    def library(self) -> Path:
        """The folder of the skill library; it need not be there."""
        return self.config.skills.library or self.folder / FOLDER

    def seen(self) -> WatchedStore:
        """Return the view of the store as it is now; hold no lock on it for long: see `look`.

        Raises:
            StoreUnwritable: There is no store yet.
        """
        if self._seen is None:
            self._seen = WatchedStore(self.folder, embedder=self.embedder)
        self._seen.refresh()
        return self._seen

    async def look(self, work: Callable[[Store], T]) -> T:
        """Return what something finds in the store as it is now."""

        def found() -> T:
            with self._lock:
                return work(self.seen())

        return await asyncio.to_thread(found)

    async def look_apart(self, name: str, work: Callable[[Store], T], said: str) -> T:
        """Return what something finds that takes long, and holds up nobody; it must not change the store.

        Raises:
            BeingFolded: It is not found yet; `said` is what is being done.
        """
        store = await self.look(lambda store: store)
        return await asyncio.to_thread(lambda: self.slow.ask(name, lambda: work(store), said))

    async def must_index(self, record: type[MemoryRecord]) -> None:
        """Have the index of a class of records ready, so that a look at it is short.

        Raises:
            BeingFolded: A large one is being made.
        """

        def missing(store: Store) -> Callable[[], None] | None:
            kind, held = store.held.kinds.get(record), store.held(record)
            if kind is None or not kind.indexed or len(held) < _LARGE:
                return None
            if store.indexes.is_open(kind):
                return None
            copied = list(held.values())
            return lambda: store.indexes.prepare(kind, copied)

        work = await self.look(missing)
        if work is not None:
            said = f"the index over {record.__name__}s is being made, once after the start"
            await asyncio.to_thread(lambda: self.slow.ask(record, work, said))

    async def change(self, work: Callable[[Store], T]) -> T:
        """Do something with the store that is open for writing.

        Raises:
            UsageError: It is only looked at here.
        """
        if self._change is None:
            raise UsageError(self.why_not or "this store is only looked at here")
        done: T = await self._change(work)
        return done

    async def skills(self, work: Callable[[OpenLibrary], T]) -> T:
        """Do something with the skill library, one after another."""

        def done() -> T:
            with self._library_lock:
                if self._library is None:
                    self._library = OpenLibrary(self.library, level=self.config.skills.jail)
                return work(self._library)

        return await asyncio.to_thread(done)

    @property
    def has_library(self) -> bool:
        """Whether there is a skill library."""
        return (self.library / ".git").exists()

    def close(self) -> None:
        """Close what was opened to look."""
        self.past.close()
        if self._seen is not None:
            self._seen.close()
        if self._library is not None:
            self._library.close()
        self._seen = self._library = None


def changing(store: Store) -> Changing:
    """Return how a store that is open for writing is changed here: one change after another, in threads."""
    lock = threading.Lock()

    async def change(work: Callable[[Store], Any]) -> Any:
        def done() -> Any:
            with lock:
                return work(store)

        return await asyncio.to_thread(done)

    return change
