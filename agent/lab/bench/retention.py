"""`lichen bench retention`: are mastered tasks still mastered when a library has grown by a hundred skills?

A copy of the library takes in what induction finds in further training tasks, then skills of other libraries,
all through admission. Before and after, the first skills' stored tests are run, and the same questions of
held-out tasks are asked; a skill among the five that are found counts when a run there shows that it is right.
"""

import shutil
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from ....envs.errors import UsageError
from ....memory.likeness.embedder import open_embedder
from ....skills.folder import read_skill
from ....skills.induction.induce import InduceConfig, induce
from ....skills.induction.watch import winning
from ....skills.skill_index import Vectored
from ....skills.skill_retriever import SkillRetriever, SkillRetrieverConfig
from ....skills.types import Skill, split_id
from ...skill_actions.open_library import OpenLibrary
from .machine import machine, version
from .skill_questions import Judge, stand
from .skill_retrieval import TOP, SkillQuestion, questions

WANTED = 0.98
"""Share of mastered tasks that has to stay."""
_CHUNK = 40
"""Training tasks that induction looks at together."""
_TASKS = 4000


def bench_retention(
    root: Path,
    *,
    others: Sequence[Path] = (),
    additions: int = 100,
    queries: int = 100,
    embedder: str = "minilm",
    seed: int = 0,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Measure, grow, measure again, and return the table.

    Args:
        root: Of a library of one environment; it is copied, never changed.
        others: Libraries whose skills are added when induction finds no more.
        additions: Skills to add.
        queries: Questions that the library can answer before it grows.
        embedder: Of texts.
        seed: Of the questions.
        say: Told what is going on.

    Returns:
        `{"bench", "version", "machine", "rows", "ratio", "holds"}`; `ratio` is the share of what was mastered,
        tests and questions together, that stayed mastered.

    Raises:
        UsageError: There is no library, or it has skills of several environments.
    """
    if not (root / ".git").exists():
        raise UsageError(
            f"{root} is no skill library",
            hint="Make one:  lichen skills induce alfworld --library FOLDER.",
        )
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "library"
        shutil.copytree(root, copy)
        with OpenLibrary(copy, author="agent", warm=1) as shop:
            first = shop.library.all()
            envs = {s.contract.env for s in first.values() if s.runnable}
            if len(envs) != 1:
                raise UsageError(f"{root} has skills of {len(envs)} environments; name one of one")
            env = envs.pop()
            asked = [q for q in questions(shop, env, first, queries, True, seed) if q.right]
            tests = _passing(shop, first)
            found = _found(shop, asked, embedder, seed)
            say(f"mastered: {len(tests)} tests, {len(found)} of {len(asked)} questions")
            grown = _grow(shop, env, additions, say)
            grown += _taken(shop, others, additions - grown)
            later = shop.library.all()
            kept_tests = tests & _passing(shop, first)
            kept = found & _found(shop, asked, embedder, seed)
    rows = [
        _row("stored tests", tests, kept_tests),
        _row(f"found among {TOP[-1]} and right", found, kept),
    ]
    rows[0] |= {"skills": len(first), "added": grown, "skills then": len(later)}
    total = (len(kept_tests) + len(kept)) / max(1, len(tests) + len(found))
    return {
        "bench": "retention",
        "version": version(),
        "machine": machine(),
        "rows": rows,
        "ratio": total,
        "holds": grown >= additions and all(row["retention"] >= WANTED for row in rows),
    }


def _row(what: str, before: Collection[Any], after: Collection[Any]) -> dict[str, Any]:
    share = len(after) / len(before) if before else 0.0
    return {"what": what, "mastered": len(before), "still": len(after), "retention": share}


def _passing(shop: OpenLibrary, skills: Mapping[str, Skill]) -> set[tuple[str, str]]:
    """Return (skill, test) of those that succeed now."""
    return {
        (name, ran.test)
        for name in sorted(skills)
        if name in shop.library.all()
        for ran in shop.workshop.test(name)
        if ran.outcome == "success"
    }


def _found(
    shop: OpenLibrary, asked: Sequence[SkillQuestion], embedder: str, seed: int
) -> set[tuple[str, Any]]:
    """Return (kind, place) of the questions with a right skill among those that are found now."""
    skills = shop.library.all()
    index = Vectored(None, open_embedder(embedder))
    config = SkillRetrieverConfig(k=TOP[-1], threshold=0.0)
    retriever = SkillRetriever(skills, index, config)
    judge = Judge(shop.runner(), skills, shop.environment, seed)
    found: set[tuple[str, Any]] = set()
    for one in asked:
        view = stand(shop.environment(one.place.env), one.place)
        hits = retriever.search(one.text, env=one.place.env, view=view).hits
        whole = one.kind == "subtask" and not one.place.fact
        for hit in hits:
            length = judge.length(skills[split_id(hit.skill)[0]], one.place)
            if length == one.place.segment if whole else length:
                found.add((one.kind, one.place))
                break
    index.close()
    return found


def _grow(shop: OpenLibrary, env: str, wanted: int, say: Callable[[str], None]) -> int:
    """Induce skills from training tasks, some at a time; return how many were admitted."""
    environment = shop.environment(env)
    ids = [task.id for task in environment.tasks("train")][:_TASKS]
    added = 0
    for start in range(0, len(ids), _CHUNK):
        traces = winning(environment, ids[start : start + _CHUNK])
        if traces:
            bounds = InduceConfig(most=wanted - added, least=2)
            added += len(induce(traces, shop.admission(), bounds))
        if start % (10 * _CHUNK) == 0 and traces:
            say(f"{added} added after {start + len(traces)} tasks")
        if added >= wanted:
            break
    return added


def _taken(shop: OpenLibrary, others: Sequence[Path], wanted: int) -> int:
    """Put skills of other libraries through admission, callees first; return how many were admitted."""
    added = 0
    for other in others:
        waiting = sorted(
            path.parent for path in other.rglob("SKILL.md") if ".index" not in path.parts
        )
        while waiting and added < wanted:
            left = []
            for folder in waiting:
                skill = read_skill(folder)
                if added < wanted and skill.runnable and skill.name not in shop.library.all():
                    good = shop.admission().admit(skill, author="agent").outcome == "success"
                    added += good
                    left += [] if good else [folder]
            if len(left) == len(waiting):
                break
            waiting = left
    return added
