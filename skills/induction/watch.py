"""Trajectories from an environment: actions are played again, and what they changed is noted."""

from collections.abc import Iterable, Sequence
from contextlib import suppress

from ...envs.base import Environment
from ...envs.errors import UsageError
from ...envs.types import Fact
from .traces import ACT, CALL, Move, Trace

_PLAIN = (bool, int, float, str)


def traced(
    environment: Environment, task_id: str, actions: Sequence[str], *, seed: int = 0
) -> Trace | None:
    """Return the trajectory of these actions, None when they do not win.

    Args:
        environment: Of the task; it is reset.
        task_id: The task.
        actions: From its beginning.
        seed: Of the environment.

    Raises:
        EnvironmentFault: The environment broke.
    """
    seen = environment.reset(task_id, seed=seed)
    facts: list[dict[str, Fact]] = [dict(environment.facts())]
    offered, moves, answers = [], [], []
    won = False
    for action in actions:
        offered.append(environment.seen().admissible or ())
        done = environment.step(action)
        moves.append(_move(environment, action))
        answers.append(done.observation.text)
        facts.append(dict(environment.facts()))
        won = done.observation.won
        if done.terminated or done.truncated:
            break
    if not won:
        return None
    return Trace(
        env=environment.name,
        task_id=task_id,
        seed=seed,
        goal=seen.goal,
        moves=tuple(moves),
        facts=tuple(facts),
        actions=tuple((action,) for action in actions[: len(moves)]),
        offered=tuple(offered),
        answers=tuple(answers) if environment.tools() else (),
    )


def _move(environment: Environment, action: str) -> Move:
    """Return an action as a move: a call of a tool where it is one, with plain arguments."""
    if environment.action_mode == "tool_call":
        with suppress(UsageError):
            call = environment.read(action)
            values = tuple(v for v in call.arguments.values() if isinstance(v, _PLAIN))
            if len(values) == len(call.arguments) and all(map(str.isidentifier, call.arguments)):
                names = tuple(call.arguments)
                return Move(method=CALL, skill=call.tool, names=names, values=values)
    return Move(method=ACT, values=(action,))


def winning(environment: Environment, task_ids: Iterable[str]) -> list[Trace]:
    """Return the gold trajectories of tasks, of those that have one which wins.

    Args:
        environment: Of the tasks; it is reset.
        task_ids: In the order of the trajectories.

    Raises:
        EnvironmentFault: The environment broke.
    """
    found = []
    for task_id in task_ids:
        environment.reset(task_id)
        gold = environment.gold()
        trace = traced(environment, task_id, gold) if gold else None
        if trace is not None:
            found.append(trace)
    return found
