"""A savepoint of the library: what the agent did since can be taken back, also after a kill.

Practice opens one for each iteration and releases it when the iteration's event is in the ledger. The mark is
a file beside the repository's own journal; what it stands for is decided by whoever knows the ledger.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from ..envs.types import Record
from .errors import LibraryUnwritable
from .file_content import of_text
from .library import Library

AGENT = "agent"
"""Author of the agent's commits; every other name is a person's."""
MESSAGE = "roll back: unfinished iteration"
_FILE = "lichen-savepoint.json"
_log = logging.getLogger(__name__)


class Savepoint(Record):
    """Where the library stood when something began."""

    name: str
    """Of what began."""
    commit: str
    """The library's last commit then, empty when it had none."""


def pending(library: Library) -> Savepoint | None:
    """Return the savepoint that was neither released nor taken back; None when there is none.

    Raises:
        LibraryUnwritable: Its file is damaged.
    """
    path = _path(library)
    try:
        return Savepoint.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise LibraryUnwritable(
            f"{path} is damaged",
            hint="Remove it; what an unfinished iteration admitted then stays in the library.",
        ) from error


def release(library: Library) -> None:
    """Keep what was done since the savepoint."""
    _path(library).unlink(missing_ok=True)


def take_back(library: Library) -> str:
    """Make the library what it was at the pending savepoint, by a new commit, and release it.

    Where a person committed since then, nothing is taken back: the person saw what was there.

    Returns:
        What was done, in one sentence; empty when there was nothing to do.
    """
    found = pending(library)
    if found is None:
        return ""
    with library.lock():
        since = library.since(found.commit)
        people = sorted({r.author for r in since or () if r.author != AGENT})
        if since is None:
            said = f"{library.root} no longer has the commit {found.commit[:8]}"
        elif people:
            said = f"{', '.join(people)} committed to {library.root} after it"
        else:
            library.restore(found.commit, message=MESSAGE, author=AGENT)
            said = ""
        release(library)
    if said:
        return f"an iteration did not finish, and {said}: its skills are not rolled back"
    return f"rolled back {len(since or ())} commits of an unfinished iteration" if since else ""


@contextmanager
def savepoint(library: Library, name: str) -> Iterator[Callable[[], None]]:
    """Take back what the agent does meanwhile unless the function that is given is called.

    Args:
        library: Of the agent.
        name: Of what begins; see `pending`.
    """
    mark = Savepoint(name=name, commit=library.repository.head())
    library.repository.put(_path(library), of_text(mark.model_dump_json()))
    try:
        yield lambda: release(library)
    finally:
        tell(take_back(library))


def tell(said: str) -> None:
    """Say what taking back came to, where it came to something."""
    if said:
        _log.warning("%s", said)


def _path(library: Library) -> Path:
    return library.repository.private / _FILE
