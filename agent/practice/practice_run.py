"""One practice from its first iteration to its last, kept in a ledger so that it can be interrupted."""

import copy
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from ...envs.base import Environment
from ...envs.types import Record
from ...memory.ledger.ledger import Ledger
from ...memory.ledger.lock import claim
from ...memory.ledger.sqlite import open_sqlite
from ...skills.admission import Admission
from ...skills.library import Library
from ...skills.skill_runner import Runner
from .code_writer import ActionWriter
from .curriculum import Choose, Curriculum
from .person import Stopped
from .practice_log import PracticeLog
from .practice_loop import Iteration, Practice, PracticeConfig

OnIteration = Callable[[str, Iteration, int], None]
"""Told of the name of the practice, what an iteration came to, and how many goals are reached."""


class PracticeResult(Record):
    """What a practice reached."""

    iterations: int
    reached: dict[str, int]
    """Goal -> iteration (from 1) in which it was first reached."""
    steps_at: dict[str, int]
    """Goal -> steps of the environment by the end of that iteration, practice included."""
    steps: int
    practice_steps: int
    """Steps for minimising and testing, taken only where there is a library."""
    unique: tuple[int, ...]
    """Goals reached after each iteration."""
    unknown: int
    """Iterations in which the environment or the jail broke."""
    seconds: float


def run_practice(
    name: str,
    config: PracticeConfig,
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
) -> tuple[PracticeResult, Library | None]:
    """Practise to the last iteration; the same call goes on after an interruption.

    A world that iterations go on in is played again to where it was.

    Args:
        name: Of this practice in the ledger.
        config: Whether it has a library and control primitives, and its bounds.
        environment: With goals.
        worlds: Task ids to practise in.
        folder: Of the ledger and the library.
        iterations: How many.
        seed: Of everything random.
        runner: Of skills.
        choose: A model or a person that chooses goals; None: the curriculum's first.
        writer: A model that writes code, where there is a library; None: skills are induced only.
        run: Runs a coroutine to its end.
        on_iteration: Told of every iteration.
        label: Of this practice in the keys of its events, where a ledger has several; "" says who chooses.
        library_folder: Of the library; None: in `folder`.
    """
    start = time.monotonic()
    lock = claim(folder)
    try:
        ledger = Ledger(open_sqlite(folder / "ledger.sqlite"), time.time)
        ledger.create()
        library = Library(library_folder or folder / "skills") if config.library else None
        admission = None
        if library is not None:
            # a test does not end the world that is practised in
            trials = copy.deepcopy(environment)
            admission = Admission(library, runner, lambda _: trials)

        def begun(done: Sequence[Iteration]) -> Practice:
            curriculum = Curriculum(environment.goals(), choose)
            writes = writer if config.library else None
            practice = Practice(
                environment, worlds, runner, admission, curriculum, config, seed, writes
            )
            for one in done:
                practice.recall(one)
            return practice

        told = ("chosen" if choose is not None else "own") + ("-written" if writer else "")
        prefix = f"practice/{name}/{seed}/{label or told}/"
        log = PracticeLog(ledger, library, run=name, prefix=prefix)
        log.recover()
        known = log.known()
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
                on_iteration(name, result, len({g for i in done for g in i.gained}))
        return _summed(done, time.monotonic() - start), library
    finally:
        lock.release()


def _summed(done: Sequence[Iteration], seconds: float) -> PracticeResult:
    reached: dict[str, int] = {}
    steps_at: dict[str, int] = {}
    unique, steps, spent = [], 0, 0
    for number, one in enumerate(done, 1):
        steps, spent = steps + one.steps, spent + one.practice_steps
        for goal in one.gained:
            if reached.setdefault(goal, number) == number:
                steps_at[goal] = steps + spent
        unique.append(len(reached))
    return PracticeResult(
        iterations=len(done),
        reached=reached,
        steps_at=steps_at,
        steps=steps,
        practice_steps=spent,
        unique=tuple(unique),
        unknown=sum(one.outcome == "unknown" for one in done),
        seconds=round(seconds, 1),
    )
