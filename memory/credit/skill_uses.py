"""What the ledger says of each skill with each LLM: exposed, called, succeeded, uplift.

Knows skills by name only. A weak model may lose by a skill that a strong one gains by, so everything is
counted for a skill and an LLM together.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ...envs.types import Record
from .credit import Credit, Exposure, Uplift


class SkillUse(Record):
    """Counters of one skill with one LLM."""

    skill: str
    """`name@version`."""
    llm: str
    exposed: int = 0
    """Episodes in which it was offered."""
    called: int = 0
    succeeded: int = 0
    """Calls after which its postconditions held."""
    failed: int = 0
    unknown: int = 0
    """Calls in which the jail or the environment broke."""
    steps: int = 0
    """Steps of the environment that its calls took."""


class SkillOutcome(NamedTuple):
    """What an ended episode says of the skills that it was offered."""

    context: str
    exposures: tuple[Exposure, ...]
    outcome: float
    episode: str = ""


@dataclass
class SkillUses:
    """Folds calls and offers; counters are sums over events."""

    counts: dict[str, SkillUse] = field(default_factory=dict)
    """By `item`."""
    observed: list[SkillOutcome] = field(default_factory=list)
    credit: Credit = field(default_factory=Credit)
    _told: set[str] = field(default_factory=set)
    """Episodes of `observed`."""

    @staticmethod
    def item(skill: str, llm: str) -> str:
        """Return the name under which a skill with an LLM is credited."""
        return f"{skill}|{llm}"

    def of(self, skill: str, llm: str) -> SkillUse:
        """Return the counters of a skill with an LLM; zeros when it never met it."""
        return self.counts.get(self.item(skill, llm), SkillUse(skill=skill, llm=llm))

    def total(self, skill: str) -> SkillUse:
        """Return the counters of a skill with all LLMs together."""
        mine = [use for use in self.counts.values() if use.skill == skill]
        names = ("exposed", "called", "succeeded", "failed", "unknown", "steps")
        return SkillUse(
            skill=skill, llm="*", **{n: sum(getattr(u, n) for u in mine) for n in names}
        )

    def uplift(self, skill: str, llm: str) -> Uplift:
        """Return what being offered this skill brought the LLM (see `credit`)."""
        return self.credit.uplift(self.item(skill, llm))

    def called(self, skill: str, llm: str, outcome: str, steps: int) -> None:
        """Count one call."""
        known = self.of(skill, llm)
        kind = {"success": "succeeded", "failure": "failed"}.get(outcome, "unknown")
        self.counts[self.item(skill, llm)] = known.model_copy(
            update={
                "called": known.called + 1,
                kind: getattr(known, kind) + 1,
                "steps": known.steps + steps,
            }
        )

    def offered(self, exposures: Sequence[Exposure]) -> None:
        """Count the skills that an episode was offered; the items are from `item`."""
        for found in exposures:
            if found.exposed:
                skill, _, llm = found.item.partition("|")
                known = self.of(skill, llm)
                self.counts[found.item] = known.model_copy(update={"exposed": known.exposed + 1})

    def observe(self, found: SkillOutcome) -> None:
        """Take what an ended episode says of the skills it was offered; its earlier word is void."""
        if found.episode and found.episode in self._told:
            self.observed = [one for one in self.observed if one.episode != found.episode]
            self.credit = Credit()
            for one in self.observed:
                self.credit.observe(one.context, one.exposures, one.outcome)
        self._told.add(found.episode)
        self.observed.append(found)
        self.credit.observe(found.context, found.exposures, found.outcome)
