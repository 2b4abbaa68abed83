"""`lichen bench skills`: does retrieval find the right skill?

The questions are of held-out tasks (the dev split), and a program says which skills are right (`asked`). Beside
Lichen's search stand its parts alone: the cosine of VOYAGER's index, BM25, and both without the contract match.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ....envs.errors import UsageError
from ....envs.types import Record
from ....memory.credit.intervals import Estimate, estimate
from ....memory.likeness.embedder import open_embedder
from ....skills.conditions import View
from ....skills.skill_index import Vectored
from ....skills.skill_retriever import SkillRetriever, SkillRetrieverConfig
from ....skills.types import Skill, split_id
from ...skill_actions.open_library import OpenLibrary
from .machine import machine, version
from .skill_questions import KINDS, Judge, Kind, Place, drawn, places, question, stand

TOP = (1, 5)
VOYAGER = {1: 0.802, 5: 0.965}
"""Accuracy of VOYAGER's retrieval on 309 samples (arXiv 2305.16291, Table A.4)."""
WANTED = 300
"""Questions that the bar is about."""
_EVERYTHING: dict[str, Any] = {"threshold": 0.0, "k": TOP[-1]}
_TEXT: dict[str, Any] = {"named": 0.0, "callers": 0.0}
METHODS: Mapping[str, tuple[Mapping[str, Any], bool]] = {
    "Lichen": ({}, True),
    "without contracts": ({}, False),
    "without name and callers": (_TEXT, True),
    "cosine only": ({"lexical": 0.0, **_TEXT}, False),
    "BM25 only": ({"lexical": 1.0, **_TEXT}, False),
}
"""Way of searching -> changed dials of the retriever, and whether it is shown the place."""


class SkillQuestion(Record):
    """A text that is searched with, where, and what is right."""

    text: str
    place: Place
    kind: Kind
    right: frozenset[str]
    """Names; none: nothing in the library does it, and the search should find nothing."""


@dataclass
class SearchAnswers:
    """What one way of searching found."""

    ranks: list[int] = field(default_factory=list)
    """Of the first right skill, from 1; 0: not among the five."""
    kept: list[bool] = field(default_factory=list)
    """Whether a right one was above the threshold."""
    silent: list[bool] = field(default_factory=list)
    """Of the questions without a right answer: whether nothing was above the threshold."""

    def top(self, k: int, seed: int) -> Estimate:
        """Return the share of questions with a right skill among the first k, with its interval."""
        return estimate([float(0 < rank <= k) for rank in self.ranks], seed=seed)


def bench_skills(
    folders: Sequence[Path],
    *,
    queries: int = 400,
    seed: int = 0,
    odd: bool = True,
    embedder: str = "minilm",
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Search, and return the table.

    Args:
        folders: Of libraries; each environment of each is asked about in turn.
        queries: Answerable questions in all, as many as there are at most.
        seed: Of what is asked.
        odd: Which half of the held-out tasks: retrieval was developed on the other one.
        embedder: Of texts.
        say: Told what is going on.

    Returns:
        `{"bench", "version", "machine", "rows", "ratio", "holds"}`; `ratio` is top-1 over VOYAGER's.

    Raises:
        UsageError: A folder is no library, or there is nothing to ask about it.
    """
    rows: list[dict[str, Any]] = []
    whole = {name: SearchAnswers() for name in METHODS}
    parts = list(_parts(folders))
    for number, (folder, env) in enumerate(parts):
        say(f"{folder}: {env}")
        most = (queries - len(whole["Lichen"].ranks)) // (len(parts) - number)
        with OpenLibrary(folder, warm=1) as shop:
            skills = {n: s for n, s in shop.library.all().items() if s.contract.env == env}
            asked = questions(shop, env, skills, most, odd, seed)
            answers = _searched(shop, skills, asked, embedder)
        for name, found in answers.items():
            rows += _rows(name, env, len(skills), asked, found, seed)
            whole[name].ranks += found.ranks
            whole[name].kept += found.kept
            whole[name].silent += found.silent
    if not whole["Lichen"].ranks:
        raise UsageError("no held-out task asks for anything that these libraries can do")
    for name, found in whole.items():
        rows.append(_row(name, "all", "", len(found.ranks), found, seed))
    best = whole["Lichen"]
    reached = {k: best.top(k, seed).mean for k in TOP}
    return {
        "bench": "skills",
        "version": version(),
        "machine": machine(),
        "rows": rows,
        "ratio": reached[1] / VOYAGER[1],
        "holds": len(best.ranks) >= WANTED and all(reached[k] > VOYAGER[k] for k in TOP),
    }


def _parts(folders: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    for folder in folders:
        if not (folder / ".git").exists():
            raise UsageError(
                f"{folder} is no skill library",
                hint="Make one:  lichen skills induce alfworld --library FOLDER.",
            )
        with OpenLibrary(folder) as shop:
            for env in sorted({s.contract.env for s in shop.library.all().values() if s.runnable}):
                yield folder, env


def questions(
    shop: OpenLibrary, env: str, skills: Mapping[str, Skill], most: int, odd: bool, seed: int
) -> list[SkillQuestion]:
    """Return answerable questions, at most so many, and the unanswerable ones that were met on the way.

    A text is asked once at a place; half of them are goals, half subtasks.
    """
    environment = shop.environment(env)
    rng = np.random.default_rng(seed)
    half = [place for place in places(environment, "dev", seed) if place.even != odd]
    judge = Judge(shop.runner(), skills, shop.environment, seed)
    found: list[SkillQuestion] = []
    left = {kind: most // len(KINDS) for kind in KINDS}
    for place in drawn(half, len(half), rng):
        for kind in KINDS:
            if left[kind] <= 0:
                continue
            right = judge.right(place, kind)
            text = question(place, kind, judge)
            if not text:
                continue
            left[kind] -= bool(right)
            found.append(SkillQuestion(text=text, place=place, kind=kind, right=right))
        if not any(left.values()):
            break
    return found


def _searched(
    shop: OpenLibrary, skills: Mapping[str, Skill], asked: Sequence[SkillQuestion], embedder: str
) -> dict[str, SearchAnswers]:
    index = Vectored(None, open_embedder(embedder))
    plain = SkillRetrieverConfig()
    ways = {
        name: (
            SkillRetriever(skills, index, plain.model_copy(update=dict(dials))),
            SkillRetriever(skills, index, plain.model_copy(update={**dials, **_EVERYTHING})),
            placed,
        )
        for name, (dials, placed) in METHODS.items()
    }
    found = {name: SearchAnswers() for name in METHODS}
    views: dict[Place, View] = {}
    for one in asked:
        env = one.place.env
        if one.place not in views:
            views[one.place] = stand(shop.environment(env), one.place)
        for name, (search, every, placed) in ways.items():
            view = views[one.place] if placed else None
            above = search.search(one.text, env=env, view=view)
            if not one.right:
                found[name].silent.append(above.abstained)
                continue
            names = [
                split_id(hit.skill)[0] for hit in every.search(one.text, env=env, view=view).hits
            ]
            ranks = [rank for rank, said in enumerate(names, 1) if said in one.right]
            found[name].ranks.append(min(ranks, default=0))
            found[name].kept.append(any(split_id(h.skill)[0] in one.right for h in above.hits))
    index.close()
    return found


def _rows(
    name: str,
    env: str,
    skills: int,
    asked: Sequence[SkillQuestion],
    found: SearchAnswers,
    seed: int,
) -> list[dict[str, Any]]:
    answerable = [one for one in asked if one.right]
    rows = []
    for kind in KINDS:
        here = [n for n, one in enumerate(answerable) if one.kind == kind]
        part = SearchAnswers([found.ranks[n] for n in here], [found.kept[n] for n in here])
        if here:
            rows.append(_row(name, env, kind, skills, part, seed))
    if found.silent and name == "Lichen":
        rows[-1]["silent where nothing fits"] = float(np.mean(found.silent))
    return rows


def _row(
    name: str, env: str, kind: str, skills: int, found: SearchAnswers, seed: int
) -> dict[str, Any]:
    row: dict[str, Any] = {"what": name, "env": env, "asked by": kind}
    if kind:
        row["skills"] = skills
    row["questions"] = len(found.ranks)
    row |= {f"top-{k}": str(found.top(k, seed)) for k in TOP}
    row["above threshold"] = float(np.mean(found.kept))
    if not kind and found.silent:
        row["silent where nothing fits"] = float(np.mean(found.silent))
    return row
