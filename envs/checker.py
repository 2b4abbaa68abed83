"""The conformance suite that ships: what every environment behind the protocol must keep (cf. gymnasium)."""

from collections.abc import Iterator

import numpy as np

from .base import Environment
from .errors import LichenError, UnknownName, UsageError
from .types import SPLITS, Observation, Task

_ALIKE = 3
"""Tasks of a family that are compared between folds."""


def check(
    environment: Environment, tasks: list[Task], *, seed: int = 0, steps: int = 8
) -> list[str]:
    """Return one sentence per broken rule; an empty list when the environment keeps the protocol.

    Args:
        environment: The one to check; freshly made, not reset yet.
        tasks: Tasks to try, at least one. The folds of their families are compared with each other; `lichen
            envs check` gives tasks of every family, and so compares all.
        seed: Of the random walk.
        steps: Length of the walk.
    """
    problems: list[str] = []
    _raises(problems, UsageError, lambda: environment.step("look"), "a step before reset")
    _raises(problems, UnknownName, lambda: environment.reset("no/such/task"), "an unknown task id")
    for task in tasks:
        if environment.task(task.id) != task:
            problems.append(f"{task.id}: task() gives another task than tasks()")
        once, again = (list(walk(environment, task, seed=seed, steps=steps)) for _ in range(2))
        if environment.deterministic and once != again:
            problems.append(f"{task.id}: the same actions gave other observations")
        for seen in once:
            problems += _observation(task, seen, scored=environment.measure == "score")
        environment.reset(task.id)
        done = environment.step("xyzzy plugh")
        if done.observation.steps != 1:
            problems.append(f"{task.id}: an action that is not admissible did not count as a step")
        if not done.observation.text.strip():
            problems.append(f"{task.id}: an action that is not admissible gets no message")
        problems += _cap(environment, task)
        problems += _gold(environment, task)
        problems += _snapshot(environment, task)
    return [*problems, *_folds(environment, {task.family for task in tasks})]


def _folds(environment: Environment, families: set[str]) -> list[str]:
    """Return what is wrong with the folds of families: what is trained on must not be tested on."""
    tasks = {split: environment.tasks(split) for split in SPLITS}
    shared = {task.id for task in tasks["train"]} & {
        task.id for split in ("dev", "test") for task in tasks[split]
    }
    if shared:
        return [f"{min(shared)}: the task is in more than one fold"]
    problems = []
    for family in sorted(families):
        held = {
            split: [task for task in found if task.family == family][:_ALIKE]
            for split, found in tasks.items()
        }
        if min(len(held["train"]), len(held["test"])) < _ALIKE:
            continue
        openings = {
            split: [
                environment.reset(task.id).model_copy(update={"task": held["train"][0]})
                for task in held[split]
            ]
            for split in ("train", "test")
        }
        if openings["train"] == openings["test"] and openings["train"][0] != openings["train"][1]:
            problems.append(
                f"{family}: the first test tasks look like the first training tasks; "
                "number their worlds with `world_number`"
            )
    return problems


def walk(
    environment: Environment, task: Task, *, seed: int = 0, steps: int = 8
) -> Iterator[Observation]:
    """Yield what is seen along a random walk: after `reset`, then after each step."""
    rng = np.random.default_rng(seed)
    seen = environment.reset(task.id)
    yield seen
    for _ in range(steps):
        options = seen.admissible or ("look",)
        done = environment.step(options[int(rng.integers(len(options)))])
        seen = done.observation
        yield seen
        if done.terminated or done.truncated:
            break


def _observation(task: Task, seen: Observation, *, scored: bool) -> list[str]:
    problems = []
    if seen.task != task:
        problems.append(f"{task.id}: the observation names another task")
    if not seen.goal.strip():
        problems.append(f"{task.id}: the goal is empty")
    if seen.admissible is not None and list(seen.admissible) != sorted(set(seen.admissible)):
        problems.append(f"{task.id}: the admissible actions are not sorted, or not each once")
    if seen.won and seen.score < 1.0 and not scored:
        problems.append(f"{task.id}: won with a score of {seen.score}")
    return problems


def _cap(environment: Environment, task: Task) -> list[str]:
    cap, environment.max_steps = environment.max_steps, 2
    try:
        environment.reset(task.id)
        environment.step("xyzzy plugh")
        done = environment.step("xyzzy plugh")
        if not (done.truncated or done.terminated):
            return [f"{task.id}: the step cap does not truncate"]
        problems: list[str] = []
        _raises(problems, UsageError, lambda: environment.step("look"), "a step after the end")
        return problems
    finally:
        environment.max_steps = cap


def _gold(environment: Environment, task: Task) -> list[str]:
    environment.reset(task.id)
    gold = environment.gold()
    if gold is None:
        return []
    cap, environment.max_steps = environment.max_steps, len(gold) + 1
    try:
        environment.reset(task.id)
        for action in gold:
            done = environment.step(action)
            if done.terminated or done.truncated:
                break
        if environment.measure == "score":
            return [] if done.terminated else [f"{task.id}: the gold trajectory does not end"]
        return [] if done.observation.won else [f"{task.id}: the gold trajectory does not win"]
    finally:
        environment.max_steps = cap


def _snapshot(environment: Environment, task: Task) -> list[str]:
    seen = environment.reset(task.id)
    try:
        state = environment.snapshot()
    except UsageError:
        return []
    action = (seen.admissible or ("look",))[0]
    there = environment.step(action).observation
    back = environment.restore(state)
    if back != seen:
        return [f"{task.id}: restore does not go back to the snapshot"]
    if environment.step(action).observation != there:
        return [f"{task.id}: after restore the same action gives another observation"]
    return []


def _raises(problems: list[str], kind: type[LichenError], call: object, what: str) -> None:
    assert callable(call)
    try:
        call()
    except kind:
        return
    except Exception as error:
        problems.append(f"{what} raises {type(error).__name__}, not {kind.__name__}")
        return
    problems.append(f"{what} raises nothing")
