"""What the pages of the library have in common: the workbench, and whose word changes it."""

from typing import Annotated

from fastapi import Depends, Request

from ...http.keys import Key, NotAllowed
from ..access.signing_in import Session
from ..seen.skill_bench import SkillBench, author_of
from .callers import EditingKey


def _bench(request: Request) -> SkillBench:
    found: SkillBench = request.app.state.skill_bench
    return found


TheBench = Annotated[SkillBench, Depends(_bench)]


def may_edit_library(session: Session) -> bool:
    """Return whether a session may change the library: it is everyone's, so a key of one namespace may not."""
    return session.may_edit and not session.key.namespace


def _author(key: EditingKey) -> str:
    if key.namespace:
        raise NotAllowed(f"the library is everyone's, and this key acts for {_of(key)} only")
    return author_of(key.name)


def _of(key: Key) -> str:
    return repr(key.namespace)


TheAuthor = Annotated[str, Depends(_author)]
"""Name for the history of whoever sent a form; the form carries `csrf`."""
