"""Practice arms side by side: what was reached after how many iterations, and zero-shot with the library.

Each arm has a folder of its own with a ledger and, where it has one, a library. The same command goes on
after an interruption; an arm that lives in one persistent world is played again from its beginning, which
comes to the same.
"""

import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

from ....envs.base import Environment
from ....envs.types import Record
from ....memory.ledger.ledger import Ledger
from ....memory.ledger.lock import claim
from ....memory.ledger.sqlite import open_sqlite
from ....skills.admission import Gate
from ....skills.library import Library
from ....skills.skill_runner import Runner
from ....skills.views import Figures
from ...practice.code_writer import ActionWriter
from ...practice.curriculum import Choose, Curriculum, CurriculumConfig
from ...practice.loop import Iteration, Practice, PracticeConfig
from ...practice.person import Stopped
from ...practice.practice_log import PracticeLog
from .new_worlds import Zero, play
from .practice_arms import PracticeArm

OnIteration = Callable[[str, Iteration, int], None]
"""Told of the arm, what it came to, and how many goals the arm has reached."""


class ArmResult(Record):
    """What one arm reached."""

    iterations: int
    reached: dict[str, int]
    """Goal -> iteration (from 1) in which it was first reached."""
    steps_at: dict[str, int]
    """Goal -> steps of the environment by the end of that iteration, practice included."""
    steps: int
    practice_steps: int
    """Steps for minimising and testing, which only an arm with a library takes."""
    unique: tuple[int, ...]
    """Goals reached after each iteration."""
    unknown: int
    """Iterations in which the environment or the jail broke."""
    seconds: float


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
    arms: dict[str, ArmResult]
    frozen: dict[str, FrozenResult]
    figures: Figures | None
    seconds: float


def run_arm(
    arm: PracticeArm,
    environment: Environment,
    worlds: Sequence[str],
    folder: Path,
    *,
    iterations: int,
    seed: int,
    runner: Runner,
    choose: Choose | None = None,
    writer: ActionWriter | None = None,
    run: Callable[[Coroutine[Any, Any, Iteration]], Iteration],
    on_iteration: OnIteration | None = None,
    label: str = "",
    library_folder: Path | None = None,
) -> tuple[ArmResult, Library | None]:
    """Run an arm to its last iteration.

    Args:
        arm: What it may use.
        environment: With goals.
        worlds: Task ids to practise in.
        folder: Of the arm's ledger and library.
        iterations: How many.
        seed: Of everything random.
        runner: Of skills.
        choose: A model or a person that chooses goals; None: the curriculum's first.
        writer: A model that writes code, for an arm with a library; None: skills are induced only.
        run: Runs a coroutine to its end.
        on_iteration: Told of every iteration.
        label: Of this practice in the keys of its events, where a ledger has several; "" says who chooses.
        library_folder: Of the library; None: in the arm's folder.
    """
    start = time.monotonic()
    lock = claim(folder)
    try:
        ledger = Ledger(open_sqlite(folder / "ledger.sqlite"), time.time)
        ledger.create()
        library = Library(library_folder or folder / "skills") if arm.library else None
        gate = Gate(library, runner, lambda _: environment) if library is not None else None
        config = PracticeConfig(
            persistent=not arm.library, library=arm.library, primitives=arm.primitives
        )

        def begun(done: Sequence[Iteration]) -> Practice:
            curriculum = Curriculum(environment.goals(), CurriculumConfig(), choose)
            writes = writer if arm.library else None
            practice = Practice(environment, worlds, runner, gate, curriculum, config, seed, writes)
            for one in done:
                practice.recall(one)
            return practice

        told = ("chosen" if choose is not None else "own") + ("-written" if writer else "")
        prefix = f"practice/{arm.name}/{seed}/{label or told}/"
        log = PracticeLog(ledger, library, run=arm.name, prefix=prefix)
        log.recover()
        known = {} if config.persistent else log.known()
        practice, done = begun([]), []
        for number in range(iterations):
            if number in known:
                practice.recall(known[number])
                done.append(known[number])
                continue
            try:
                with log.iteration(number) as written:
                    result = written(run(practice.iterate(number)))
            except Stopped:
                break
            done.append(result)
            if result.outcome == "unknown" and library is not None:
                # its skills are rolled back: nothing that it learned is to stay in mind either
                practice = begun([one for one in done if one.outcome != "unknown"])
            if on_iteration is not None:
                on_iteration(arm.name, result, len({g for i in done for g in i.gained}))
        return _summed(done, time.monotonic() - start), library
    finally:
        lock.release()


def _summed(done: Sequence[Iteration], seconds: float) -> ArmResult:
    reached: dict[str, int] = {}
    steps_at: dict[str, int] = {}
    unique, steps, spent = [], 0, 0
    for number, one in enumerate(done, 1):
        steps, spent = steps + one.steps, spent + one.practice_steps
        for goal in one.gained:
            if reached.setdefault(goal, number) == number:
                steps_at[goal] = steps + spent
        unique.append(len(reached))
    return ArmResult(
        iterations=len(done),
        reached=reached,
        steps_at=steps_at,
        steps=steps,
        practice_steps=spent,
        unique=tuple(unique),
        unknown=sum(one.outcome == "unknown" for one in done),
        seconds=round(seconds, 1),
    )


def run_frozen(
    environment: Environment,
    worlds: Sequence[str],
    runner: Runner,
    library: Library | None,
    *,
    moves: int,
    seed: int,
) -> FrozenResult:
    """Play each world once with a library as it is; None: without one."""
    goals = environment.goals()
    skills = {}
    if library is not None:
        skills = {n: s for n, s in library.all().items() if s.contract.env == environment.name}
    played = [
        play(environment, world, runner, skills, goals, moves=moves, seed=seed) for world in worlds
    ]
    rates = {g: sum(g in zero.gained for zero in played) / len(played) for g in goals}
    return FrozenResult(
        episodes=tuple(played),
        rates=rates,
        mean=sum(len(zero.gained) for zero in played) / len(played),
    )


def ratios(report: PracticeReport, tiers: Mapping[str, Sequence[str]]) -> dict[str, float | None]:
    """Return how many times more goals, and how many times earlier tiers, `skills` has than `primitives`.

    Args:
        report: With both arms.
        tiers: Tier -> goals, one of which reaches it.

    Returns:
        `unique`, and each tier; None where one of the two never got there.
    """
    a, b = report.arms.get("skills"), report.arms.get("primitives")
    if a is None or b is None:
        return {}
    found: dict[str, float | None] = {
        "unique": len(a.reached) / len(b.reached) if b.reached else None
    }
    for tier, goals in tiers.items():
        mine = [a.reached[g] for g in goals if g in a.reached]
        other = [b.reached[g] for g in goals if g in b.reached]
        found[tier] = min(other) / min(mine) if mine and other else None
    return found
