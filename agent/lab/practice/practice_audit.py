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
from ....skills.call_graph import dependents
from ....skills.skill_runner import Runner
from ....skills.types import Skill
from ..kernel.cells import play_all
from ..kernel.contrasts import PairedDifference, paired_difference
from ..placebo.skill_placebo import scrambled
from .new_worlds import play


class AuditReport(Record):
    """What was found."""

    worlds: int
    moves: int
    on: float
    """Goals an episode with the library."""
    off: float
    placebo: float
    on_off: PairedDifference
    on_placebo: PairedDifference
    placebo_off: PairedDifference
    without: dict[str, PairedDifference]
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

    def reached(some: Mapping[str, Skill], world: str) -> float:
        played = play(environment, world, runner, some, goals, moves=moves, seed=seed)
        return float(len(played.gained))

    def told(arm: str, goals: Sequence[float]) -> None:
        say(f"{arm} {np.mean(goals):.2f} goals an episode")

    arms = {"on": skills, "off": {}, "placebo": scrambled(skills, seed)}
    for name in skills if each else ():
        gone = {name, *(path[-1] for path in dependents(skills, name))}
        arms[f"without {name}"] = {n: s for n, s in skills.items() if n not in gone}
    found = play_all(arms, worlds, reached, told)
    on, off, placebo = (found[arm] for arm in ("on", "off", "placebo"))
    without = {
        skills[name].id: paired_difference(on, found[f"without {name}"], seed=seed)
        for name in (skills if each else ())
    }
    called = {path[0] for name in skills for path in dependents(skills, name)}
    return AuditReport(
        worlds=len(worlds),
        moves=moves,
        on=float(np.mean(on)),
        off=float(np.mean(off)),
        placebo=float(np.mean(placebo)),
        on_off=paired_difference(on, off, seed=seed),
        on_placebo=paired_difference(on, placebo, seed=seed),
        placebo_off=paired_difference(placebo, off, seed=seed),
        without=without,
        reused=len(called) / len(skills) if skills else 0.0,
    )
