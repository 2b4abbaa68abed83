"""The vectors of the skills: a view over the library in Chroma that repairs itself, beside the repository.

Keyed by a hash of what is embedded. It can be deleted at any time. One process owns the folder; another one
that comes meanwhile keeps its vectors in memory.
"""

import hashlib
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
from filelock import FileLock, Timeout

from ..memory.ledger.errors import IndexBroken
from ..memory.likeness.embedder import Embedder, Vectors
from ..memory.likeness.index_shelf import IndexedItem
from ..memory.likeness.vector_index import VectorIndex
from .types import Skill

_log = logging.getLogger(__name__)
FOLDER = ".index"


class SkillIndex(Protocol):
    """Vectors of the skills that were last given to `hold`."""

    def hold(self, skills: Mapping[str, Skill]) -> tuple[int, int]:
        """Make it hold exactly these skills; return how many vectors were added and removed."""

    def cosines(
        self, query: str, names: list[str]
    ) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
        """Return the cosine of a text to each of these skills, shape (n,)."""

    def close(self) -> None:
        """Free the files."""


def text_of(skill: Skill) -> str:
    """Return what is embedded of a skill: its name in words and its description."""
    return f"{skill.name.replace('-', ' ')}. {skill.description}"


def key_of(skill: Skill) -> str:
    """Return the hash under which a skill's vector is kept."""
    said = f"{skill.contract.env}\x1f{text_of(skill)}"
    return hashlib.sha256(said.encode()).hexdigest()[:32]


class Vectored:
    """The index; see `SkillIndex`.

    Args:
        root: Of the library; None keeps all in memory.
        embedder: Of texts.
    """

    def __init__(self, root: Path | None, embedder: Embedder) -> None:
        self._embedder = embedder
        self._vectors: dict[str, Vectors] = {}
        self._keys: dict[str, str] = {}
        self._stored: VectorIndex | None = None
        self._lock: FileLock | None = None
        if root is not None:
            self._open(root / FOLDER)

    def _open(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        ignored = folder / ".gitignore"
        if not ignored.exists():
            ignored.write_text("*\n", encoding="utf-8")
        lock = FileLock(str(folder / "owner"), timeout=0)
        try:
            lock.acquire()
        except Timeout:
            _log.info("another process owns the index of skills: vectors are kept in memory")
            return
        self._lock = lock
        name = f"skills-{self._embedder.name}"[:50]
        try:
            self._stored = VectorIndex(folder / "chroma", name)
        except IndexBroken as error:
            aside = folder / f"broken-{len(list(folder.glob('broken-*')))}"
            (folder / "chroma").rename(aside)
            _log.warning("%s; it was moved to %s and is made again", error, aside.name)
            self._stored = VectorIndex(folder / "chroma", name)

    def hold(self, skills: Mapping[str, Skill]) -> tuple[int, int]:
        """See `SkillIndex.hold`."""
        wanted = {key_of(skill): skill for skill in skills.values()}
        self._keys = {skill.name: key for key, skill in wanted.items()}
        self._keys |= {name: key_of(skill) for name, skill in skills.items()}
        if self._stored is not None:
            changed = self._stored.repair(
                [IndexedItem(key, skill.contract.env or "-", 0) for key, skill in wanted.items()],
                lambda ids: self._embedder.encode([text_of(wanted[i]) for i in ids]),
            )
            missing = [key for key in wanted if key not in self._vectors]
            self._vectors |= self._stored.vectors(missing)
        else:
            missing = [key for key in wanted if key not in self._vectors]
            made = self._embedder.encode([text_of(wanted[key]) for key in missing])
            changed = (len(missing), len(self._vectors.keys() - wanted.keys()))
            self._vectors |= dict(zip(missing, made, strict=True))
        self._vectors = {key: self._vectors[key] for key in wanted}
        return changed

    def cosines(
        self, query: str, names: list[str]
    ) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
        """See `SkillIndex.cosines`."""
        if not names:
            return np.zeros(0)
        rows = np.stack([self._vectors[self._keys[name]] for name in names]).astype(np.float64)
        found: np.ndarray[tuple[int], np.dtype[np.float64]] = rows @ self._embedder.encode([query])[
            0
        ].astype(np.float64)
        return found

    def close(self) -> None:
        """See `SkillIndex.close`."""
        if self._stored is not None:
            self._stored.close()
            self._stored = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None
