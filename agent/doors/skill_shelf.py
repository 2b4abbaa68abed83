"""The skill library as doors show it: listed, read and searched; runnable skills and instructions alike."""

from collections.abc import Mapping
from pathlib import Path

from ...envs.types import Record
from ...memory.likeness.embedder import Embedder
from ...skills.errors import UnknownSkill
from ...skills.file_content import FileContent
from ...skills.library import Library
from ...skills.skill_index import Vectored
from ...skills.skill_retriever import FLOOR, SkillHit, SkillRetriever
from ...skills.types import Skill


class FoundSkill(Record):
    """A skill that a search found."""

    name: str
    version: int
    description: str
    env: str
    """The environment whose actions it takes; empty: it is instructions, to be read."""
    signature: str
    """How it is called; empty: it is instructions."""
    score: float


class SkillShelf:
    """A library that is looked at; nothing is written.

    Args:
        root: Folder of the library; it need not be there.
        embedder: Of texts.
    """

    def __init__(self, root: Path, embedder: Embedder) -> None:
        self.root = root
        self._embedder = embedder
        self._library: Library | None = None
        self._head = ""
        self._skills: dict[str, Skill] = {}
        self._search: SkillRetriever | None = None
        self._index = Vectored(None, embedder)

    @property
    def library(self) -> Library | None:
        """The library; None where there is none."""
        if self._library is None and (self.root / ".git").exists():
            self._library = Library(self.root)
        return self._library

    def all(self) -> Mapping[str, Skill]:
        """Return the admitted skills by name, sorted."""
        self._refresh()
        return self._skills

    def get(self, name: str) -> Skill:
        """Return a skill by `name` or `name@version`.

        Raises:
            UnknownSkill: There is none.
        """
        if self.library is None:
            raise UnknownSkill(f"there is no skill {name!r}: there is no library here")
        return self.library.get(name)

    def files(self, name: str) -> Mapping[str, FileContent]:
        """Return the files of a skill's folder by path, as they were committed.

        Raises:
            UnknownSkill: There is none.
        """
        self.get(name)
        assert self.library is not None
        return self.library.repository.files(f"skills/{name}")

    def search(self, query: str, *, env: str = "", k: int = 5) -> list[FoundSkill]:
        """Return at most k skills that a text asks for, best first.

        Args:
            query: What is to be done, in words.
            env: Only skills of this environment, and instructions; empty: all.
            k: How many at most.
        """
        self._refresh()
        if not query.strip() or not self._skills or self._search is None:
            return []
        scores: dict[str, float] = {}
        for of in {s.contract.env for s in self._skills.values() if s.runnable}:
            if env in ("", of):
                hits = self._search.search(query, env=of, k=k)
                scores |= {hit.skill.partition("@")[0]: hit.score for hit in hits.hits}
        said = [name for name, skill in self._skills.items() if not skill.runnable]
        near = self._index.cosines(query, said)
        scores |= {name: float(c) for name, c in zip(said, near, strict=True) if c >= FLOOR}
        best = sorted(scores, key=lambda name: (-scores[name], name))[:k]
        return [found(self._skills[name], round(scores[name], 4)) for name in best]

    def scored(self, query: str, *, env: str = "", k: int = 5) -> list[tuple[SkillHit, bool]]:
        """Return the runnable skills that are likest to a text, best first, with all parts of each score.

        Args:
            query: What is to be done, in words.
            env: Only skills of this environment; empty: of each.
            k: How many of an environment at most.

        Returns:
            Each hit, and whether it is above the threshold: whether an agent would be offered it.
        """
        self._refresh()
        if not query.strip() or self._search is None:
            return []
        scored: list[tuple[SkillHit, bool]] = []
        for of in sorted({s.contract.env for s in self._skills.values() if s.runnable}):
            if env in ("", of):
                hits = self._search.search(query, env=of, k=k)
                scored += [(hit, True) for hit in hits.hits]
                scored += [(hit, False) for hit in hits.below]
        return sorted(scored, key=lambda one: (not one[1], -one[0].score, one[0].skill))

    def _refresh(self) -> None:
        library = self.library
        if library is None or (head := library.repository.head()) == self._head:
            return
        self._skills = library.all()
        self._search = SkillRetriever(self._skills, Vectored(None, self._embedder))
        self._index.hold(self._skills)
        self._head = head


def found(skill: Skill, score: float = 1.0) -> FoundSkill:
    """Return a skill as a search shows it."""
    return FoundSkill(
        name=skill.name,
        version=skill.contract.version,
        description=skill.description,
        env=skill.contract.env,
        signature=skill.signature() if skill.runnable else "",
        score=score,
    )
