"""The skill library as files of a virtual disk, as deepagents' `StoreBackend` reads them from a store."""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ...memory.likeness.embedder import CachedEmbedder
from ...memory.store.item_table import StoredItem
from ...skills.file_content import FileContent
from ...skills.folder import MARKDOWN
from .skill_shelf import SkillShelf

SKILLS = ("skills",)
"""The namespace in which they are shown."""


class _Shown(NamedTuple):
    """The files as of one commit."""

    commit: str = ""
    items: Sequence[StoredItem] = ()
    said: Sequence[tuple[int, str]] = ()
    """Of each skill the id of its SKILL.md, and what it says that it does."""


class SkillFiles:
    """The files of the admitted skills: `/NAME/SKILL.md` and what lies beside it.

    Args:
        root: Of the library; it need not be there.
        embedder: Of the store.
    """

    def __init__(self, root: Path, embedder: CachedEmbedder) -> None:
        self._shelf, self._embedder = SkillShelf(root, embedder), embedder
        self._shown = _Shown()

    def items(self) -> Sequence[StoredItem]:
        """Return the files, in order; their ids are below 0, so that no item of the store has one."""
        return self._read().items

    def scores(self, query: str) -> dict[int, float]:
        """Return the cosine of a query with what each skill says it does, by the id of its SKILL.md."""
        asked = self._embedder.query(query)
        return {n: float(self._embedder.query(said) @ asked) for n, said in self._read().said}

    def _read(self) -> _Shown:
        """Return the files, read again where the library has changed."""
        library = self._shelf.library
        if library is None:
            return _Shown()
        commit = library.repository.head()
        if commit == self._shown.commit:
            return self._shown
        at = next((revision.at for revision in library.history()), 0.0)
        items: list[StoredItem] = []
        said: list[tuple[int, str]] = []
        for name, skill in self._shelf.all().items():
            for path, content in self._shelf.files(name).items():
                number = -1 - len(items)
                if path == MARKDOWN:
                    said.append((number, skill.description))
                key, value = f"/{name}/{path}", _file(content)
                made = StoredItem(SKILLS, key, value, (), created=at, updated=at, id=number)
                items.append(made)
        self._shown = _Shown(commit, items, said)
        return self._shown


def _file(content: FileContent) -> dict[str, Any]:
    try:
        return {"content": content.text, "encoding": "utf-8"}
    except UnicodeDecodeError:
        return {"content": base64.b64encode(content.data).decode(), "encoding": "base64"}
