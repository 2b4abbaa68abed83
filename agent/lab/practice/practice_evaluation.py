"""What practice arms reached, side by side, and zero-shot episodes with the library.

Each arm has a folder of its own with a ledger and, where it has one, a library (see `practice_run`).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ....envs.base import Environment
from ....envs.suite import Suite
from ....envs.types import Record
from ....skills.library import Library
from ....skills.skill_runner import Runner
from ....skills.types import Skill
from ....skills.views import Figures
from ...practice.practice_run import PracticeResult
from ...prompts.rendering import prompt_hash
from ..kernel.cells import play_all
from ..kernel.reports import begin_anew
from .new_worlds import Zero, play
from .practice_arms import ARMS, FROZEN

SETTINGS, REPORT = "practice-settings.json", "practice.json"


class FrozenResult(Record):
    """Zero-shot episodes of one arm."""

    episodes: tuple[Zero, ...]
    rates: dict[str, float]
    """Goal -> share of the episodes that reached it."""
    mean: float
    """Goals an episode."""


class PracticeReport(Record):
    """All arms."""

    suite: str
    seed: int
    iterations: int
    arms: dict[str, PracticeResult]
    frozen: dict[str, FrozenResult]
    figures: Figures | None
    seconds: float


def run_frozen(
    environment: Environment,
    worlds: Sequence[str],
    runner: Runner,
    library: Library | None,
    *,
    moves: int,
    seed: int,
) -> dict[str, FrozenResult]:
    """Play each world once with a library as it is, and once without one.

    Returns:
        `skills-frozen` and `no library`.
    """
    goals = environment.goals()
    held = library.all() if library is not None else {}
    skills = {name: skill for name, skill in held.items() if skill.contract.env == environment.name}
    arms: dict[str, Mapping[str, Skill]] = {FROZEN: skills, "no library": {}}
    played = play_all(
        arms,
        worlds,
        lambda some, world: play(environment, world, runner, some, goals, moves=moves, seed=seed),
    )
    return {name: _frozen(episodes, goals) for name, episodes in played.items()}


def _frozen(played: Sequence[Zero], goals: Mapping[str, str]) -> FrozenResult:
    return FrozenResult(
        episodes=tuple(played),
        rates={g: sum(g in zero.gained for zero in played) / len(played) for g in goals},
        mean=sum(len(zero.gained) for zero in played) / len(played),
    )


def ratios(report: PracticeReport, tiers: Mapping[str, Sequence[str]]) -> dict[str, float | None]:
    """Return how many times more goals, and how many times earlier tiers, `skills` has than `primitives`.

    Goals are counted after as many steps of the environment in both, those for minimising and testing included.

    Args:
        report: With both arms.
        tiers: Tier -> goals, one of which reaches it.

    Returns:
        `unique after N steps`, and each tier; None where one of the two never got there.
    """
    a, b = report.arms.get("skills"), report.arms.get("primitives")
    if a is None or b is None:
        return {}
    most = min(arm.steps + arm.practice_steps for arm in (a, b))
    ours, theirs = (sum(at <= most for at in arm.steps_at.values()) for arm in (a, b))
    found: dict[str, float | None] = {
        f"unique after {most:,} steps": ours / theirs if theirs else None
    }
    for tier, goals in tiers.items():
        mine = [a.reached[g] for g in goals if g in a.reached]
        other = [b.reached[g] for g in goals if g in b.reached]
        found[tier] = min(other) / min(mine) if mine and other else None
    return found


def identity_of(suite: Suite, seed: int, model: str, *, write: bool) -> dict[str, Any]:
    """Return what the results of a practice evaluation depend on; more iterations only go on.

    Args:
        suite: Of an environment with goals.
        seed: Of everything random.
        model: That chooses goals; "": the curriculum's own order.
        write: Whether the model writes code too.
    """
    return {
        "suite": suite.model_dump(mode="json", exclude={"description"}),
        "seed": seed,
        "model": model,
        "write": write,
        "prompts": prompt_hash() if model else "",
    }


def forget_practice(folder: Path) -> None:
    """Remove an earlier practice evaluation with its libraries; see `begin_anew`."""
    sign = REPORT if (folder / REPORT).exists() else SETTINGS
    made = (SETTINGS, REPORT, *ARMS)
    begin_anew(folder, sign=sign, made=made, what="practice evaluation", inner=tuple(ARMS))
