"""A skill run in the jail against a task that somebody chose, to see what it does; nothing is written."""

from collections.abc import Callable, Mapping, Sequence

from ..envs.base import Environment
from ..envs.errors import EpisodeOver, UsageError
from ..envs.types import Fact, Outcome, Record, Transition
from .skill_runner import Runner
from .types import Skill


class DryStep(Record):
    """One action and its answer."""

    action: str
    answer: str
    error: str
    """Why it was refused; empty: it was not."""
    score: float
    setup: bool
    """Whether it only led to the place."""


class DryRun(Record):
    """What a skill did."""

    skill: str
    """`name@version`."""
    task_id: str
    goal: str
    seen: str
    """What was seen when it was called."""
    arguments: dict[str, Fact]
    outcome: Outcome
    reason: str
    steps: tuple[DryStep, ...]
    level: str
    """Of the jail; empty: nothing was run."""


def dry_run(
    skill: Skill,
    runner: Runner,
    environment: Environment,
    task_id: str,
    arguments: Mapping[str, Fact],
    *,
    setup: Sequence[str] = (),
    seed: int = 0,
    on_step: Callable[[DryStep], None] | None = None,
) -> DryRun:
    """Run a skill.

    Args:
        skill: What to run; it need not be admitted.
        runner: Over the library that it calls.
        environment: Of its contract.
        task_id: Where it is run.
        arguments: By parameter.
        setup: Actions before it is called.
        seed: Of the task.
        on_step: Told of every step that was taken.

    Raises:
        UsageError: There is no such task, or its setup cannot be played.
        EnvironmentFault: The environment broke before the skill was called.
    """
    steps: list[DryStep] = []
    outer, preparing = environment.watcher, True

    def note(action: str, done: Transition) -> None:
        seen = done.observation
        step = DryStep(
            action=action,
            answer=seen.text,
            error=done.error or "",
            score=seen.score,
            setup=preparing,
        )
        steps.append(step)
        if on_step is not None:
            on_step(step)
        if outer is not None:
            outer(action, done)

    goal = environment.reset(task_id, seed=seed).goal
    environment.watcher = note
    try:
        for action in setup:
            try:
                environment.step(action)
            except EpisodeOver as error:
                raise UsageError(f"the episode ended before {action!r} of the setup") from error
        preparing = False
        seen = environment.seen()
        called = runner.call(skill, arguments, environment, seed=seed)
    finally:
        environment.watcher = outer
    return DryRun(
        skill=skill.id,
        task_id=task_id,
        goal=goal,
        seen=seen.text,
        arguments=called.arguments,
        outcome=called.outcome,
        reason=called.reason,
        steps=tuple(steps),
        level=called.ran.level if called.ran is not None else "",
    )
