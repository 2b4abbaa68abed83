"""The skills that the arms of an evaluation are offered: one frozen view for each kind of arm."""

from collections.abc import Iterable

from ....envs.errors import UsageError
from ....memory.credit.skill_uses import SkillUses
from ....memory.ledger.content_id import content_id
from ....memory.ledger.ledger import Ledger
from ....memory.store.fold import Fold
from ...open_agent import OpenAgent
from ..placebo.frozen_skills import FrozenSkills, frozen_skills
from .policy_arms import Arm


class Skilled:
    """Skills by arm, made at first use. Close it at the end.

    Args:
        agent: Whose library it is.
        run: Id of the evaluation; what was called in it says nothing to its own later tasks.
        seed: Of the placebo.
    """

    def __init__(self, agent: OpenAgent, run: str, seed: int) -> None:
        self._agent, self._run, self._seed = agent, run, seed
        self._views: dict[tuple[bool, tuple[str, ...]], FrozenSkills] = {}
        self._uses: SkillUses | None = None

    def of(self, arm: Arm) -> FrozenSkills | None:
        """Return what an arm is offered; None for one without skills. First asked for when all is learned."""
        if not arm.skilled:
            return None
        key = (arm.scrambled, arm.without)
        if key not in self._views:
            if self._uses is None:
                self._uses = uses_outside(self._agent.store.ledger, self._run)
            self._views[key] = frozen_skills(
                self._agent,
                self._uses,
                without=arm.without,
                placebo=self._seed if arm.scrambled else None,
            )
        return self._views[key]

    def library(self, arms: Iterable[Arm]) -> str:
        """Return the hash of the library and of its dials; empty where no arm has skills.

        Raises:
            UsageError: One has, and there is no library.
        """
        named = next((arm.name for arm in arms if arm.skilled), None)
        if named is None:
            return ""
        offered = self._agent.skills.offered
        if offered is None:
            raise UsageError(
                f"the arm {named!r} needs a library of skills, and there is none",
                hint="Name it: --set skills.library=FOLDER. `lichen skills induce SUITE` makes one.",
            )
        folders = offered.library.repository.folders("skills")
        dials = offered.config.model_dump_json(exclude={"library", "on"})
        return content_id(dials, *(f"{name} {tree}" for name, tree in sorted(folders.items())))

    def close(self) -> None:
        """Free the views."""
        for view in self._views.values():
            view.close()
        self._views.clear()


def uses_outside(ledger: Ledger, run: str) -> SkillUses:
    """Return what a ledger says of each skill, one run left out: the same, however far that run has come."""
    fold = Fold()
    for _ in fold.apply(row for row in ledger.read() if row.run != run):
        pass
    return fold.uses
