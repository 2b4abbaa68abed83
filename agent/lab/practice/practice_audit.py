"""What a library is worth: on, off and placebo in the same worlds with the same moves, and each skill left out.

No model is asked in any arm, so the token budgets are equal: none. Differences are paired by world. The
placebo has as many skills of the same structure, with what they act on and go to exchanged among them.
(Calling the right skills for other goals is no placebo: 12 worlds, 100 moves: 8.8 goals against 9.3, since
each brings all that it needs along.)
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ....envs.base import Environment
from ....envs.types import Record
from ....memory.credit.intervals import estimate
from ....skills.call_graph import dependents
from ....skills.skill_runner import Runner
from ....skills.types import Skill
from ..placebo.skill_placebo import scrambled
from .new_worlds import play


class Difference(Record):
    """A paired difference in goals an episode."""

    mean: float
    ci95: tuple[float, float]

    @property
    def holds(self) -> bool:
        """Whether the whole interval is above 0."""
        return self.ci95[0] > 0


class AuditReport(Record):
    """What was found."""

    worlds: int
    moves: int
    on: float
    """Goals an episode with the library."""
    off: float
    placebo: float
    on_off: Difference
    on_placebo: Difference
    placebo_off: Difference
    without: dict[str, Difference]
    """Skill -> on minus the library without it (and without what depends on it)."""
    reused: float
    """Share of the skills that another one calls."""

    @property
    def holds(self) -> bool:
        """Whether the library helps, by its interval, and the placebo does not do as well."""
        return self.on_off.holds and self.on_placebo.mean > 0


def audit(
    environment: Environment,
    worlds: Sequence[str],
    runner: Runner,
    skills: Mapping[str, Skill],
    *,
    moves: int,
    seed: int,
    each: bool = True,
    say: Callable[[str], None] = lambda _: None,
) -> AuditReport:
    """Play every arm in every world.

    Args:
        environment: With goals.
        worlds: Task ids nobody practised in.
        runner: In whose jail skills run.
        skills: The library.
        moves: Of an episode.
        seed: Of chance; the same in all arms.
        each: Whether each skill is left out in turn.
        say: Told what is going on.
    """
    goals = environment.goals()

    def reached(some: Mapping[str, Skill]) -> list[int]:
        return [
            len(
                play(
                    environment,
                    world,
                    runner,
                    some,
                    goals,
                    moves=moves,
                    seed=seed,
                ).gained
            )
            for world in worlds
        ]

    on, off = reached(skills), reached({})
    say(f"on {np.mean(on):.2f}, off {np.mean(off):.2f} goals an episode")
    placebo = reached(scrambled(skills, seed))
    say(f"placebo {np.mean(placebo):.2f}")
    without = {}
    for name in skills if each else ():
        gone = {name, *(path[-1] for path in dependents(skills, name))}
        rest = reached({n: s for n, s in skills.items() if n not in gone})
        without[skills[name].id] = _difference(on, rest, seed)
        say(f"without {name}: {np.mean(rest):.2f}")
    called = {path[0] for name in skills for path in dependents(skills, name)}
    return AuditReport(
        worlds=len(worlds),
        moves=moves,
        on=float(np.mean(on)),
        off=float(np.mean(off)),
        placebo=float(np.mean(placebo)),
        on_off=_difference(on, off, seed),
        on_placebo=_difference(on, placebo, seed),
        placebo_off=_difference(placebo, off, seed),
        without=without,
        reused=len(called) / len(skills) if skills else 0.0,
    )


def _difference(a: Sequence[int], b: Sequence[int], seed: int) -> Difference:
    found = estimate([float(x - y) for x, y in zip(a, b, strict=True)], seed=seed)
    return Difference(mean=found.mean, ci95=(found.low, found.high))
