"""Zero-shot: what a frozen library reaches in a world that nobody practised in."""

from collections.abc import Mapping

from ....envs.base import Environment
from ....envs.types import Record
from ....skills.induction.traces import Move
from ....skills.skill_runner import Runner
from ....skills.types import Skill
from ...practice.attempt import GoalAttempt
from ...practice.explorer import Explorer, attempt_rng

_TRIES = 3
"""Times that a goal's skill is tried before chance has its share."""


class Zero(Record):
    """One episode with a frozen library."""

    world: str
    gained: tuple[str, ...]
    """Goals that came to hold."""
    at: tuple[int, ...]
    """After how many moves each did."""
    moves: int
    steps: int
    called: int
    """Skills that were called."""
    succeeded: int


def play(
    environment: Environment,
    world: str,
    runner: Runner,
    skills: Mapping[str, Skill],
    goals: Mapping[str, str],
    *,
    moves: int,
    seed: int,
) -> Zero:
    """Play one episode: goal after goal the skill that was learned for it, else what the explorer proposes.

    Args:
        environment: Of the world.
        world: Task id.
        runner: With the library.
        skills: The library; empty for an arm without one.
        goals: Fact -> goal in words.
        moves: Most moves.
        seed: Of chance.
    """
    attempt = GoalAttempt(environment, runner.with_skills(skills), world, seed)
    attempt.begin()
    rng = attempt_rng(seed, 0, world)
    proposes = Explorer(environment, skills)
    learned = known_calls(skills, goals)
    tried: dict[str, int] = {}
    gained: dict[str, int] = {}
    while len(attempt.moves) < moves and not attempt.over:
        left = [g for g in goals if not attempt.now.get(g)]
        if not left:
            break
        ready = sorted((tried.get(g, 0), n, g) for n, g in enumerate(learned) if g in left)
        if ready and (ready[0][0] < _TRIES or rng.random() < 0.5):
            goal = ready[0][2]
            tried[goal] = tried.get(goal, 0) + 1
            move = learned[goal]
        else:
            goal = left[int(rng.integers(len(left)))]
            move = proposes.propose(goals[goal], attempt.now, attempt.moves, rng)
        now = attempt.do(move)
        for new in goals:
            if now.get(new):
                gained.setdefault(new, len(attempt.moves))
    return Zero(
        world=world,
        gained=tuple(gained),
        at=tuple(gained.values()),
        moves=len(attempt.moves),
        steps=attempt.steps,
        called=len(attempt.calls),
        succeeded=sum(call.outcome == "success" for call in attempt.calls),
    )


def known_calls(skills: Mapping[str, Skill], goals: Mapping[str, str]) -> dict[str, Move]:
    """Return, for every goal that a skill was tested on, the call that reached it.

    Args:
        skills: The library.
        goals: Fact -> goal in words; the tests of a skill name the goal that they are of.
    """
    found: dict[str, Move] = {}
    said = {words: fact for fact, words in goals.items()}
    for skill in skills.values():
        for test in skill.tests:
            fact = said.get(test.goal)
            if fact is not None and fact not in found:
                known = {
                    name: test.arguments.get(name, parameter.default)
                    for name, parameter in skill.contract.parameters.items()
                }
                values = tuple(value for value in known.values() if value is not None)
                if len(values) == len(known):
                    found[fact] = Move(
                        method="skill", skill=skill.id, names=tuple(known), values=values
                    )
    return found
