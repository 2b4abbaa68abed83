"""Which skills a task may need: dense, lexical and contract match, what is known of their use, abstention.

VOYAGER takes the five nearest descriptions and throws the scores away; a larger library then hurts by wrong
selection (arXiv 2605.24050, "skill shadowing"). Here every part of a score is kept, a skill that cannot be
called now counts less, and a query that is like none of them gets none.
"""

from collections.abc import Callable, Collection, Mapping

import numpy as np
from pydantic import Field

from ..envs.types import Record
from ..memory.lexical import BM25
from .conditions import View, holds
from .errors import BadSkill
from .index import SkillIndex, text_of
from .types import Skill

_ENOUGH = 20
_Array = np.ndarray[tuple[int], np.dtype[np.float64]]


class SkillRetrieverConfig(Record):
    """Dials of a search."""

    k: int = Field(default=5, ge=1)
    """Skills that are found at most."""
    lexical: float = Field(default=0.3, ge=0, le=1)
    """Share of BM25 in the score; the cosine has the rest."""
    blocked: float = Field(default=0.5, ge=0, le=1)
    """What a score is multiplied with when the preconditions do not hold now."""
    utility: float = Field(default=0.3, ge=0)
    """What a point of known uplift adds."""
    threshold: float | None = None
    """Score below which a skill is not found; None: calibrated from the library's own tests."""
    coverage: float = Field(default=0.95, gt=0, lt=1)
    """Share of tasks whose skill has to stay above a calibrated threshold (split conformal, Vovk et al.
    2005)."""
    floor: float = 0.25
    """The threshold while fewer than 20 tests can say more."""


class SkillHit(Record):
    """A skill that was found."""

    skill: str
    """`name@version`."""
    score: float
    cosine: float
    lexical: float
    """BM25 over what no text could exceed, in [0, 1]: how much of the query it covers."""
    callable: bool
    """Whether its preconditions hold now, as far as they can be checked without arguments."""
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
        cosines, lexical = self._parts(query, names)
        share = self.config.lexical
        found = []
        for name, cosine, words in zip(names, cosines, lexical, strict=True):
            skill = self._skills[name]
            ready = view is None or _ready(skill, view)
            known = self._utility(skill.id)
            score = (1 - share) * float(cosine) + share * float(words)
            score *= 1.0 if ready else self.config.blocked
            score += self.config.utility * (known or 0.0)
            found.append(
                SkillHit(
                    skill=skill.id,
                    score=round(score, 6),
                    cosine=round(float(cosine), 6),
                    lexical=round(float(words), 6),
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

    def _parts(self, query: str, names: list[str]) -> tuple[_Array, _Array]:
        cosines = self._index.cosines(query, names)
        scores = self._lexical.scores(query, set(names).__contains__)
        most = self._lexical.bound(query) or 1.0
        return cosines, np.array([scores.get(name, 0.0) / most for name in names])

    def threshold(self, env: str) -> float:
        """Return the score below which this environment's skills are not found.

        Calibrated once: the goals of the skills' own tests are asked, and the share `coverage` of the right
        answers has to stay above it.
        """
        if self.config.threshold is not None:
            return self.config.threshold
        if env not in self._thresholds:
            scores = []
            share = self.config.lexical
            for name, skill in self._skills.items():
                if skill.contract.env != env:
                    continue
                for goal in sorted({test.goal for test in skill.tests if test.goal}):
                    cosine, words = self._parts(goal, [name])
                    scores.append((1 - share) * float(cosine[0]) + share * float(words[0]))
            self._thresholds[env] = (
                float(np.quantile(scores, 1 - self.config.coverage, method="lower"))
                if len(scores) >= _ENOUGH
                else self.config.floor
            )
        return self._thresholds[env]


def _ready(skill: Skill, view: View) -> bool:
    """Return whether those preconditions hold that need no argument."""
    for condition in skill.contract.preconditions:
        if any(name in condition for name in skill.contract.parameters):
            continue
        try:
            if not holds(condition, view, {}):
                return False
        except BadSkill:
            return False
    return True
