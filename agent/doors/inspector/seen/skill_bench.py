"""The skill library as the pages work on it: what it found is kept while the library stays what it is."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from .....memory.credit.past_calls import CallLog, PastCall
from .....memory.ledger.ledger import open_ledger
from .....skills.git_store import Revision
from .....skills.library import Library
from .....skills.savepoint import AGENT
from ....doors.skill_shelf import SkillShelf
from ....skill_actions.open_library import OpenLibrary
from .inspected import Inspected
from .library_jobs import LibraryJobs

T = TypeVar("T")


class SkillBench:
    """What the pages of skills share.

    Args:
        inspected: Where the library is.
    """

    def __init__(self, inspected: Inspected) -> None:
        self.inspected = inspected
        self.jobs = LibraryJobs(inspected)
        self.shelf = SkillShelf(inspected.library, inspected.embedder)
        self._log: tuple[str, list[Revision]] = ("", [])
        self._calls: CallLog | None = None

    def log(self, library: Library) -> list[Revision]:
        """Return the library's history, newest first."""
        head = library.repository.head()
        if self._log[0] != head:
            self._log = (head, library.history())
        return self._log[1]

    def calls(self, skill: str) -> list[PastCall]:
        """Return the calls of a skill that the ledger knows, newest first; see `past_calls`."""
        if self._calls is None:
            if not (self.inspected.folder / "ledger.sqlite").exists():
                return []
            self._calls = CallLog(open_ledger(self.inspected.folder))
        return self._calls.of(skill)

    async def act(self, author: str, work: Callable[[OpenLibrary], T]) -> T:
        """Change the library at once, in somebody's name."""

        def done() -> T:
            level = self.inspected.config.skills.jail
            with OpenLibrary(self.inspected.library, level=level, author=author) as opened:
                return work(opened)

        return await asyncio.to_thread(done)


def author_of(name: str) -> str:
    """Return the name in commits of a key: a person's, also where the key is called like the agent."""
    plain = " ".join(name.replace("<", " ").replace(">", " ").split()) or "person"
    return f"{plain} (a person)" if plain == AGENT else plain
