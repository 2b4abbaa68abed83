"""Skills that stand still while an evaluation runs: a library and a record that do not change between tasks.

The same calls can be offered as a placebo: what is offered is the honest arm's, what a call runs is scrambled.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

from ....envs.base import Environment
from ....envs.types import Observation
from ....memory.credit.skill_uses import SkillUses
from ....memory.likeness.embedder import Embedder
from ....skills.errors import UnknownSkill
from ....skills.library import Library
from ....skills.replay_call import PLACEBO
from ....skills.skill_index import Vectored
from ....skills.skill_runner import Runner
from ....skills.types import Skill
from ...open_agent import OpenAgent
from ...skill_actions.skill_set import Called, Offer, Offered, SkillConfig, SkillSet
from .skill_placebo import scrambled


class FrozenSkills(SkillSet):
    """A skill set as it is when it is made.

    Args:
        library: Where they are.
        runner: Opened over them.
        embedder: Of goals and descriptions.
        uses: What is known of each skill, once and for all.
        config: Dials.
        without: Names that are left out.
        placebo: Seed of the exchange (see `skill_placebo`); None: the honest skills.
    """

    def __init__(
        self,
        library: Library,
        runner: Callable[[], Runner],
        embedder: Embedder,
        uses: SkillUses,
        config: SkillConfig,
        *,
        without: Collection[str] = (),
        placebo: int | None = None,
    ) -> None:
        own = Vectored(None, embedder)  # several views stand side by side, each with its own skills
        super().__init__(library, runner, embedder, lambda: uses, config, own)
        self._kept = {n: s for n, s in library.all().items() if n not in set(without)}
        runnable = {n: s for n, s in self._kept.items() if s.runnable}
        self._other = scrambled(runnable, placebo) if placebo is not None else None

    def _refresh(self) -> None:
        if self._retriever is None:
            self._search_in(self._kept)

    def offers(
        self,
        environment: Environment,
        seen: Observation,
        llm: str,
        without: Sequence[str] = (),
        shows: Callable[[str], tuple[bool, float]] = lambda _: (True, 1.0),
    ) -> Offered:
        """See `SkillSet.offers`; a placebo offers the same, and the ledger calls it one."""
        found = super().offers(environment, seen, llm, without, shows)
        if self._other is None:
            return found
        return Offered(
            {
                action: offer.model_copy(update={"skill": PLACEBO + offer.skill})
                for action, offer in found.calls.items()
            },
            {PLACEBO + skill: chance for skill, chance in found.held.items()},
            found.considered,
        )

    def call(self, offer: Offer, environment: Environment, *, seed: int) -> Called:
        """See `SkillSet.call`."""
        called = super().call(offer, environment, seed=seed)
        called.result = called.result.model_copy(update={"skill": offer.skill})
        return called

    def _runs(self, offer: Offer) -> tuple[Skill, Mapping[str, Skill]]:
        if self._other is None:
            return super()._runs(offer)
        return self._other[offer.offered.name], self._other


def frozen_skills(
    agent: OpenAgent, uses: SkillUses, *, without: Collection[str] = (), placebo: int | None = None
) -> FrozenSkills:
    """Return an agent's skills as they are now, with a fixed record (see `FrozenSkills`).

    Raises:
        UnknownSkill: Skills are off, or there is no library.
    """
    offered = agent.skills.offered
    if offered is None:
        raise UnknownSkill("there is no library of skills", hint="Name it: skills.library.")
    return FrozenSkills(
        offered.library,
        offered.runner,
        agent.store.embedder,
        uses,
        offered.config,
        without=without,
        placebo=placebo,
    )
