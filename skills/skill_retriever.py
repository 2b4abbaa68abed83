"""Which skills a task may need: dense, lexical and contract match, what is known of their use, abstention.

VOYAGER takes the five nearest descriptions and throws the scores away; a larger library then hurts by wrong
selection (arXiv 2605.24050, "skill shadowing"). Here every part of a score is kept, a skill that cannot be
called now counts less, and a query that is like none of them gets none.
"""

import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping

import numpy as np
from pydantic import Field

from ..envs.types import Record
from ..memory.likeness.lexical import BM25
from ..memory.likeness.words import words
from .call_graph import callers
from .conditions import View
from .first_action import entry, ways
from .skill_index import SkillIndex, text_of
from .types import Skill

_ENOUGH = 20
_Array = np.ndarray[tuple[int], np.dtype[np.float64]]


BLOCKED = 0.5
"""What a score is multiplied with when the preconditions do not hold now."""
UTILITY = 0.3
"""What a point of known uplift adds."""
COVERAGE = 0.95
"""Share of tasks whose skill has to stay above a calibrated threshold (split conformal, Vovk et al.
2005)."""
FLOOR = 0.25
"""The threshold while fewer than 20 tests can say more."""


class SkillRetrieverConfig(Record):
    """Dials of a search."""

    k: int = Field(default=5, ge=1)
    """Skills that are found at most."""
    lexical: float = Field(default=0.3, ge=0, le=1)
    """Share of BM25 in the score; the cosine has the rest."""
    named: float = Field(default=0.5, ge=0)
    """What it adds that a query says every word of a skill's name; a share of them adds that share. Cosine and
    BM25 do not mind what a skill does beyond the query; this does."""
    callers: float = Field(default=0.05, ge=0)
    """What it adds for every nat of 1 + the skills that call it: what was built upon is what is needed."""
    threshold: float | None = None
    """Score below which a skill is not found; None: calibrated from the library's own tests."""


class SkillHit(Record):
    """A skill that was found."""

    skill: str
    """`name@version`."""
    score: float
    cosine: float
    lexical: float
    """BM25 over what no text could exceed, in [0, 1]: how much of the query it covers."""
    named: float
    """Share of the words of its name that the query says, in [0, 1]."""
    callable: bool
    """Whether its preconditions, and those of what it calls first, hold now under some arguments."""
    utility: float | None = None
    """Known uplift with this LLM; None: nothing is known."""


class SkillHits(Record):
    """The answer to a search."""

    hits: tuple[SkillHit, ...]
    considered: int
    """Skills of the environment."""
    threshold: float
    abstained: bool
    """Whether all were below the threshold."""
    below: tuple[SkillHit, ...] = ()
    """The best of those that were not found, for people."""


class SkillRetriever:
    """Finds skills.

    Args:
        skills: The library by name.
        index: Of their vectors; it is made to hold them.
        config: Dials.
        utility: Uplift of a skill (`name@version`), None where nothing is known.
    """

    def __init__(
        self,
        skills: Mapping[str, Skill],
        index: SkillIndex,
        config: SkillRetrieverConfig | None = None,
        utility: Callable[[str], float | None] = lambda _: None,
    ) -> None:
        self.config = config or SkillRetrieverConfig()
        self._skills = {name: s for name, s in skills.items() if s.runnable}
        self._index, self._utility = index, utility
        index.hold(self._skills)
        self._lexical = BM25()
        for name, skill in self._skills.items():
            self._lexical.add(name, text_of(skill))
        self._entry = {name: entry(skill, self._skills) for name, skill in self._skills.items()}
        self._named = {name: Counter(_words_of(name)) for name in self._skills}
        above = callers(self._skills.values())
        self._called = {name: len(above.get(name, ())) for name in self._skills}
        self._thresholds: dict[str, float] = {}

    def search(
        self,
        query: str,
        *,
        env: str,
        view: View | None = None,
        k: int | None = None,
        without: Collection[str] = (),
    ) -> SkillHits:
        """Return the skills of an environment that a text asks for, best first.

        Args:
            query: The goal, or a subtask of it.
            env: Only this environment's skills.
            view: The place, for preconditions; None: not looked at.
            k: How many at most.
            without: Names that are left out.
        """
        names = [
            name
            for name, skill in self._skills.items()
            if skill.contract.env == env and name not in without
        ]
        threshold = self.threshold(env)
        if not names:
            return SkillHits(hits=(), considered=0, threshold=threshold, abstained=True)
        found = []
        for name, score, cosine, lexical, named in zip(
            names, *self._parts(query, names), strict=True
        ):
            skill = self._skills[name]
            ready = view is None or bool(ways(self._entry[name], view))
            known = self._utility(skill.id)
            whole = float(score) * (1.0 if ready else BLOCKED)
            whole += UTILITY * (known or 0.0)
            found.append(
                SkillHit(
                    skill=skill.id,
                    score=round(whole, 6),
                    cosine=round(float(cosine), 6),
                    lexical=round(float(lexical), 6),
                    named=round(float(named), 6),
                    callable=ready,
                    utility=known,
                )
            )
        found.sort(key=lambda hit: (-hit.score, hit.skill))
        most = k or self.config.k
        above = [hit for hit in found if hit.score >= threshold][:most]
        return SkillHits(
            hits=tuple(above),
            considered=len(names),
            threshold=threshold,
            abstained=not above,
            below=tuple(hit for hit in found if hit not in above)[:most],
        )

    def _parts(self, query: str, names: list[str]) -> tuple[_Array, _Array, _Array, _Array]:
        """Return score, cosine, BM25 and share of the name of each, wherever it is; each of shape (n,)."""
        cosines = self._index.cosines(query, names)
        scores = self._lexical.scores(query, set(names).__contains__)
        most = self._lexical.bound(query) or 1.0
        lexical = np.array([scores.get(name, 0.0) / most for name in names])
        said = Counter(words(query))
        named = np.array([(self._named[n] & said).total() / self._named[n].total() for n in names])
        dials = self.config
        built = np.array([math.log1p(self._called[name]) for name in names])
        score = (1 - dials.lexical) * cosines + dials.lexical * lexical
        return score + dials.named * named + dials.callers * built, cosines, lexical, named

    def threshold(self, env: str) -> float:
        """Return the score below which this environment's skills are not found.

        Calibrated once: the goals of the skills' own tests are asked, and the share `coverage` of the right
        answers has to stay above it.
        """
        if self.config.threshold is not None:
            return self.config.threshold
        if env not in self._thresholds:
            scores = []
            for name, skill in self._skills.items():
                if skill.contract.env != env:
                    continue
                for goal in sorted({test.goal for test in skill.tests if test.goal}):
                    scores.append(float(self._parts(goal, [name])[0][0]))
            self._thresholds[env] = (
                float(np.quantile(scores, 1 - COVERAGE, method="lower"))
                if len(scores) >= _ENOUGH
                else FLOOR
            )
        return self._thresholds[env]


def _words_of(name: str) -> list[str]:
    """Return the words of a name without the numbers that tell namesakes apart.

    >>> _words_of("go-to-take-from-2")
    ['go', 'to', 'take', 'from']
    """
    return [word for word in name.split("-") if not word.isdigit()] or [name]
