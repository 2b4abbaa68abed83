"""What a library looks like: one row a skill, and the figures by which libraries are compared."""

from collections.abc import Collection
from pathlib import Path

from ..envs.types import Record
from .call_graph import callees, callers, depth
from .library import SHELVES, Library, Shelf


class SkillRow(Record):
    """One line of a list."""

    name: str
    version: int
    shelf: Shelf
    env: str
    signature: str
    description: str
    maker: str
    tests: int
    calls: tuple[str, ...]
    called_by: tuple[str, ...]
    pinned: bool
    edited: bool
    """Whether its folder was changed by hand and not tested yet."""


class Figures(Record):
    """What a library is like, for comparison with others."""

    skills: int
    with_parameters: float
    """Share of the skills that take a parameter (VOYAGER's published libraries: 0 of 158)."""
    composed: float
    """Share that calls another skill (VOYAGER: 9.5%)."""
    deepest: int
    tests: int
    by_env: dict[str, int]
    by_maker: dict[str, int]


def rows(library: Library, shelf: Shelf = "skills") -> list[SkillRow]:
    """Return one row a skill of a shelf, sorted by name."""
    skills = library.all(shelf)
    above, pins = callers(library.all().values()), library.pins()
    edited = set(library.edited()) if shelf == "skills" else set()
    return [
        SkillRow(
            name=skill.name,
            version=skill.contract.version,
            shelf=shelf,
            env=skill.contract.env,
            signature=skill.signature() if skill.runnable else "",
            description=skill.description,
            maker=skill.contract.maker,
            tests=len(skill.tests),
            calls=tuple(sorted(callees(skill))) if skill.runnable else (),
            called_by=tuple(sorted(above.get(skill.name, ()))),
            pinned=skill.name in pins,
            edited=skill.name in edited,
        )
        for skill in skills.values()
    ]


def figures(library: Library) -> Figures:
    """Return what the library is like."""
    skills = {n: s for n, s in library.all().items() if s.runnable}
    n = len(skills) or 1
    envs = [s.contract.env for s in skills.values()]
    makers = [s.contract.maker for s in skills.values()]
    return Figures(
        skills=len(skills),
        with_parameters=sum(bool(s.contract.parameters) for s in skills.values()) / n,
        composed=sum(bool(callees(s)) for s in skills.values()) / n,
        deepest=max((depth(skills, name) for name in skills), default=0),
        tests=sum(len(s.tests) for s in skills.values()),
        by_env={env: envs.count(env) for env in sorted(set(envs))},
        by_maker={maker: makers.count(maker) for maker in sorted(set(makers))},
    )


def of_tasks(folder: Path, tasks: Collection[str]) -> list[str]:
    """Return the skills of a library, on any shelf, that were learned or are tested on one of these tasks.

    None where there is no library.
    """
    if not (folder / ".git").exists():
        return []
    library = Library(folder)
    return sorted(
        f"{skill.id} on {shelf}"
        for shelf in SHELVES
        for skill in library.all(shelf).values()
        if not set(tasks).isdisjoint(
            {skill.contract.origin, *(test.task_id for test in skill.tests)}
        )
    )
