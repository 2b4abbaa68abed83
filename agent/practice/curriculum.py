"""The automatic curriculum: what to practise next (VOYAGER, arXiv 2305.16291, section 2.1).

Only goals that a program can check are proposed. What failed often waits; what looks close to what is known
comes first; a model, where there is one, chooses among the best; a person may choose instead.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ...envs.types import Fact, Record
from ...memory.likeness.words import words
from ...skills.conditions import names
from ...skills.types import Skill

WARM_UP: Mapping[str, int] = {"inventory": 0, "near": 0, "unlocked": 0, "vitals": 5, "rest": 10}
"""Goals that have to be completed before a part of the state is shown to a model (after Voyager's
`curriculum.py`): a small picture first."""
_VITALS = ("health", "food", "drink", "energy")


SHORTLIST = 5
"""Goals a model, or a person, chooses among."""
PATIENCE = 4
"""Failures in a row after which a goal waits until all others were tried as often."""


class Progress(Record):
    """What is known of one goal."""

    tried: int = 0
    completed: int = 0
    skill: str = ""
    """The skill that was learned for it."""


class GoalOffer(NamedTuple):
    """A goal of the shortlist."""

    goal: str
    """In words."""
    why: str
    """How often it was tried, what came of it, which of its words the library knows."""


Choose = Callable[[str, Sequence[GoalOffer]], Awaitable[int]]
"""Asked with a prompt and offers; returns the number of one, from 0."""


@dataclass
class Curriculum:
    """Proposes goals.

    Args:
        goals: Fact -> goal in words (`Environment.goals`).
        choose: A model or a person that chooses among the shortlist; None: the first is taken.
        known_of: Returns what is known of how a goal in words is reached, empty for nothing (see `answers`).
    """

    goals: Mapping[str, str]
    choose: Choose | None = None
    known_of: Callable[[str], str] | None = None
    progress: dict[str, Progress] = field(default_factory=dict)

    def note(self, goal: str, *, completed: bool, skill: str = "") -> None:
        """Take how practising a goal ended."""
        known = self.progress.get(goal, Progress())
        self.progress[goal] = Progress(
            tried=known.tried + 1,
            completed=known.completed + completed,
            skill=skill or known.skill,
        )

    def known(self, goal: str) -> Progress:
        """Return what is known of a goal."""
        return self.progress.get(goal, Progress())

    async def next_goal(
        self, now: Mapping[str, Fact], skills: Mapping[str, Skill], rng: np.random.Generator
    ) -> str:
        """Return the fact to be brought about next.

        Args:
            now: What holds, for the model.
            skills: The library: its pre- and postconditions are the frontier.
            rng: Breaks ties.
        """
        ranked = self.shortlist(skills, rng)
        if self.choose is None or len(ranked) == 1:
            return ranked[0]
        offers = [GoalOffer(self.goals[goal], self.why(goal, skills)) for goal in ranked]
        return ranked[await self.choose(self.prompt(now, ranked), offers)]

    def why(self, goal: str, skills: Mapping[str, Skill]) -> str:
        """Return what speaks for and against a goal, for a person."""
        known = self.known(goal)
        failed = known.tried - known.completed
        said = [f"tried {known.tried}, failed {failed}" if known.tried else "not tried yet"]
        if known.skill:
            said.append(f"skill {known.skill}")
        near = sorted(set(words(self.goals[goal])) & frontier_of(skills))
        return "; ".join([*said, f"known words: {', '.join(near) or 'none'}"])

    def shortlist(self, skills: Mapping[str, Skill], rng: np.random.Generator) -> list[str]:
        """Return the best goals, best first.

        A goal is better the less often it failed, and the more of its words the library's skills name in
        their conditions: the frontier of what is known.
        """
        frontier = frontier_of(skills)
        noise = {goal: float(rng.random()) for goal in self.goals}

        def worth(goal: str) -> tuple[float, ...]:
            known = self.known(goal)
            failed = known.tried - known.completed
            near = len(set(words(self.goals[goal])) & frontier)
            return (
                float(bool(known.skill)),
                float(failed // PATIENCE),
                float(known.completed > 0),
                -float(near > 0),
                failed,
                noise[goal],
            )

        return sorted(self.goals, key=worth)[:SHORTLIST]

    def prompt(self, now: Mapping[str, Fact], ranked: Sequence[str] = ()) -> str:
        """Return what a model is told: the state as far as it is warmed up, what was done and what failed.

        Args:
            now: What holds.
            ranked: Goals to choose among, whose known answers are told too.
        """
        done = [self.goals[g] for g, p in self.progress.items() if p.completed]
        failed = [self.goals[g] for g, p in self.progress.items() if p.tried and not p.completed]
        shown = shown_facts(now, len(done))
        told = [(self.goals[g], self.known_of(self.goals[g])) for g in ranked if self.known_of]
        known = "".join(f"Known: {goal} {answer}\n" for goal, answer in told if answer)
        return (
            "You help an agent to discover as many different things as possible. "
            "Choose the next goal: not too hard for now.\n"
            f"State: {', '.join(f'{k} {v}' for k, v in shown.items()) or 'nothing'}.\n"
            f"Completed: {' '.join(done) or 'nothing yet.'}\n"
            f"Failed so far: {' '.join(failed) or 'nothing.'}\n"
            f"{known}Next goal:"
        )


def shown_facts(now: Mapping[str, Fact], completed: int) -> dict[str, Fact]:
    """Return the facts a model is shown after so many completed goals: those that hold, warmed up."""
    found = {}
    for fact, value in now.items():
        head = fact.partition(".")[0]
        part = head if head in WARM_UP else "vitals" if head in _VITALS else "rest"
        if value and completed >= WARM_UP[part]:
            found[fact.replace(".", " ").replace("_", " ")] = value
    return found


def frontier_of(skills: Mapping[str, Skill]) -> set[str]:
    """Return the words that the library's conditions name."""
    found: set[str] = set()
    for skill in skills.values():
        for condition in (*skill.contract.postconditions, *skill.contract.preconditions):
            for fact in names(condition):
                found |= set(words(fact.replace(".", " ").replace("_", " ")))
        for parameter in skill.contract.parameters.values():
            for choice in parameter.choices or ():
                found |= set(words(str(choice).replace("_", " ")))
    return found - {"inventory", "count", "unlocked", "near", "item"}
