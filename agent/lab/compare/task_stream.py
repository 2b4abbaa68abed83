"""The stream of a comparison: tasks one after the other, which every method meets in the same order.

A stream has phases (task families, opponents, rules). Most tasks are learned from; the held-out tasks of the
first phase come twice, after it and at the end, and nothing is learned from those: their difference is what
was forgotten.
"""

from collections.abc import Callable, Mapping, Sequence

from ....envs.base import Environment
from ....envs.errors import UsageError
from ....envs.suite import Suite, load_suite, suite_names
from ....envs.types import Record, Split

FIRST, LAST = "first, again", "first, at the end"
"""Phases of the held-out tasks of the first phase."""


class StreamItem(Record):
    """One task of a stream."""

    number: int
    """Its place, from 0."""
    task_id: str
    phase: str
    learns: bool = True
    """Whether methods learn from it."""


class TaskStream(Record):
    """What every method meets."""

    name: str
    suite: Suite
    shown: tuple[str, ...]
    """Training tasks whose gold trajectories every method is shown first."""
    items: tuple[StreamItem, ...]


class StreamSize(Record):
    """How much of a suite becomes its stream."""

    each: int
    """Tasks of each phase that are learned from."""
    held: int
    """Held-out tasks of the first phase; each comes twice."""
    shown: int
    """Demonstrations, over all phases."""
    split: Split
    """Where the tasks come from; demonstrations are of `train`."""


Order = Callable[[Suite, Environment, StreamSize], Sequence[tuple[str, Sequence[str]]]]
"""Returns phases in order with the ids of the tasks that are learned from."""


def by_family(
    suite: Suite, environment: Environment, size: StreamSize
) -> Sequence[tuple[str, Sequence[str]]]:
    """Return the families of a suite one after the other: phases as continual learning has them."""
    return [
        (family, _ids(suite, environment, family, size)[: size.each])
        for family in suite.families or environment.families()
    ]


ORDERS: Mapping[str, Order] = {}
"""Streams with an order of their own, by the name of their suite."""


def load_stream(name: str, size: StreamSize, open_: Callable[[Suite], Environment]) -> TaskStream:
    """Return the stream of a suite.

    Args:
        name: Of a suite that ships, or the path of one.
        size: How much of it.
        open_: Opens its environment.

    Raises:
        UsageError: A phase has too few tasks.
        UnknownName: There is no such suite.
    """
    suite = load_suite(name)
    environment = open_(suite)
    phases = ORDERS.get(suite.name, by_family)(suite, environment, size)
    items = [(task_id, phase, True) for phase, ids in phases for task_id in ids]
    if len(phases) > 1 and size.held:
        first, ids = phases[0]
        family = environment.task(ids[0]).family
        alike = [i for i in _ids(suite, environment, family, size) if i not in set(ids)]
        held = alike[: size.held]
        if len(held) < size.held:
            raise UsageError(
                f"{first} has {len(held)} {size.split} tasks beside the stream's, {size.held} were asked for",
                hint="Ask for fewer with --held, or for a shorter stream with --each.",
            )
        own = len(ids)
        items[own:own] = [(task_id, FIRST, False) for task_id in held]
        items += [(task_id, LAST, False) for task_id in held]
    return TaskStream(
        name=suite.name,
        suite=suite,
        shown=tuple(suite.task_ids("train", size.shown, 0, environment)) if size.shown else (),
        items=tuple(
            StreamItem(number=number, task_id=task_id, phase=phase, learns=learns)
            for number, (task_id, phase, learns) in enumerate(items)
        ),
    )


def stream_names() -> tuple[str, ...]:
    """Return the streams that ship: every suite is one."""
    return suite_names()


def _ids(suite: Suite, environment: Environment, family: str, size: StreamSize) -> list[str]:
    alone = suite.model_copy(update={"families": (family,), "eval_tasks": None})
    ids = alone.task_ids(size.split, None, 0, environment)
    if len(ids) < size.each:
        raise UsageError(
            f"{family} has {len(ids)} {size.split} tasks, {size.each} were asked for",
            hint="Ask for fewer with --each.",
        )
    return ids
