"""The conformance check from outside: the rules, the same walk in two processes, and what a step takes.

Python's hash seed differs from process to process: what leans on the order of a set differs with it.
"""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from statistics import median
from typing import Any

from .base import Environment
from .checker import check, walk
from .errors import EnvironmentFault
from .registry import make
from .types import SPLITS, Record, Task

_TIMEOUT = 300.0
"""Seconds for a process."""


class CheckReport(Record):
    """What a check found."""

    tasks: int
    steps: int
    problems: tuple[str, ...]
    median_ms: float
    """Of a step."""
    most_ms: float

    @property
    def holds(self) -> bool:
        """Whether the protocol is kept."""
        return not self.problems


def checked(name: str, options: Mapping[str, Any], per_family: int) -> CheckReport:
    """Check an environment by its name or dotted path.

    Args:
        name: As `registry.make` takes it.
        options: For its constructor.
        per_family: Tasks of each family.

    Raises:
        UnknownName: There is no such environment.
        EnvironmentFault: It broke, or a process of its own did not end.
    """
    environment = make(name, **options)
    try:
        tasks = _some(environment, per_family)
        problems = check(environment, tasks)
        took = _timed(environment, tasks)
        deterministic = environment.deterministic
    finally:
        environment.close()
    if deterministic:
        one, other = (_elsewhere(name, options, per_family, seed) for seed in ("1", "2"))
        problems += [
            f"{task}: another process, with another hash seed, saw something else"
            for task in one
            if one[task] != other.get(task)
        ]
    return CheckReport(
        tasks=len(tasks),
        steps=len(took),
        problems=tuple(problems),
        median_ms=1000 * median(took) if took else 0.0,
        most_ms=1000 * max(took, default=0.0),
    )


def digests(name: str, options: Mapping[str, Any], per_family: int) -> dict[str, str]:
    """Return a hash of what is seen along a seeded walk through each task."""
    environment = make(name, **options)
    try:
        found = {}
        for task in _some(environment, per_family):
            seen = walk(environment, task)
            said = json.dumps([one.model_dump(mode="json") for one in seen], sort_keys=True)
            found[task.id] = hashlib.sha256(said.encode()).hexdigest()
        return found
    finally:
        environment.close()


def _some(environment: Environment, per_family: int) -> list[Task]:
    tasks = []
    for family in environment.families():
        held = [
            task for split in SPLITS for task in environment.tasks(split, [family])[:per_family]
        ]
        tasks += held[:per_family]
    return tasks


def _timed(environment: Environment, tasks: list[Task]) -> list[float]:
    """Return the seconds of each step of a walk."""
    took = []
    for task in tasks:
        marks = [time.perf_counter()]
        for _ in walk(environment, task):
            marks.append(time.perf_counter())
        took += [after - before for before, after in zip(marks[1:], marks[2:], strict=False)]
    return took


def _elsewhere(
    name: str, options: Mapping[str, Any], per_family: int, hash_seed: str
) -> dict[str, str]:
    asked = json.dumps([name, dict(options), per_family])
    code = (
        "import json, sys; from lichen.envs.two_processes import digests; "
        "print(json.dumps(digests(*json.loads(sys.argv[1]))))"
    )
    path = os.pathsep.join(part for part in sys.path if part)
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, asked],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=True,
        )
        found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["nothing was said"])[-1]
        raise EnvironmentFault(f"{name} broke in a process of its own: {last}") from error
    except (subprocess.TimeoutExpired, ValueError, IndexError) as error:
        raise EnvironmentFault(f"{name} did not come to an end in a process of its own") from error
    return found
