"""What a library is worth: on, off and placebo in the same worlds with the same moves, and each skill left out.

No model is asked in any arm, so the token budgets are equal: none. Differences are paired by world. The
placebo has as many skills of the same structure, with what they act on and go to exchanged among them.
(Calling the right skills for other goals is no placebo: 12 worlds, 100 moves: 8.8 goals against 9.3, since
each brings all that it needs along.)
"""

import ast
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ...envs.base import Environment
from ...envs.types import Record
from ...skills.graph import dependents
from ...skills.runner import Runner
from ...skills.types import Skill
from ..evaluate.statistics import estimate
from .frozen import play


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


def scrambled(skills: Mapping[str, Skill], seed: int) -> dict[str, Skill]:
    """Return skills of the same structure in which the first arguments of the API's calls are exchanged.

    All that a method is called with anywhere in the library is permuted; none stays where it was.

    Args:
        skills: The library.
        seed: Of the permutations.
    """
    words: dict[str, dict[str, None]] = {}
    for skill in skills.values():
        for method, constant in _arguments(ast.parse(skill.code)):
            words.setdefault(method, {})[str(constant.value)] = None
    rng = np.random.default_rng(seed)
    other: dict[str, dict[str, str]] = {}
    for method, known in sorted(words.items()):
        order = [str(word) for word in rng.permutation(sorted(known))]
        other[method] = dict(zip(order, [*order[1:], order[0]], strict=True))
    found = {}
    for name, skill in skills.items():
        tree = ast.parse(skill.code)
        for method, constant in _arguments(tree):
            constant.value = other[method][str(constant.value)]
        found[name] = skill.model_copy(update={"code": ast.unparse(tree) + "\n"})
    return found


def _arguments(tree: ast.Module) -> list[tuple[str, ast.Constant]]:
    """Return the API's calls whose first argument is a text: the method, and the place of the text."""
    return [
        (node.func.attr, node.args[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr not in ("skill", "get")
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    ]


def _difference(a: Sequence[int], b: Sequence[int], seed: int) -> Difference:
    found = estimate([float(x - y) for x, y in zip(a, b, strict=True)], seed=seed)
    return Difference(mean=found.mean, ci95=(found.low, found.high))
