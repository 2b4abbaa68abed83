"""The stream of a comparison: tasks one after the other, which every method meets in the same order.

A stream has phases (task families, opponents, rules). Most tasks are learned from; the held-out tasks of the
first phase come twice, after it and at the end, and nothing is learned from those: their difference is what
was forgotten.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ....envs.base import Environment
from ....envs.errors import UsageError
from ....envs.poker.sessions import SEATING
from ....envs.suite import Suite, load_suite
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


class Phased(NamedTuple):
    """The order of a stream."""

    phases: Sequence[tuple[str, Sequence[str]]]
    """(name, ids of the tasks that are learned from), in order."""
    pool: Sequence[str] | None
    """Other tasks like those of the first phase, to see what is forgotten; None where they do not come back."""


Order = Callable[[Suite, Environment, StreamSize], Phased]


def by_family(suite: Suite, environment: Environment, size: StreamSize) -> Phased:
    """Return the families of a suite one after the other: phases as continual learning has them."""
    phases, pool = [], []
    for family in suite.families or environment.families():
        ids = _ids(suite, environment, family, size, size.each)
        phases.append((family, ids[: size.each]))
        pool.append(ids[size.each :])
    return Phased(phases, pool[0])


def by_seating(suite: Suite, environment: Environment, size: StreamSize) -> Phased:
    """Return poker's opponents in the order A-B-A-C-B: one goes, another comes, and the first comes back."""
    ids = {
        name: _ids(suite, environment, name, size, SEATING.count(name) * size.each)
        for name in dict.fromkeys(SEATING)
    }
    met: Counter[str] = Counter()
    phases = []
    for name in SEATING:
        first = met[name] * size.each
        said = f"{name}{', again' * bool(met[name])}"
        phases.append((said, ids[name][first : first + size.each]))
        met[name] += 1
    return Phased(phases, ids[SEATING[0]][met[SEATING[0]] * size.each :] or None)


def by_rules(suite: Suite, environment: Environment, size: StreamSize) -> Phased:
    """Return tickets under the first house rules, then others under the second: old memory becomes wrong."""
    families = suite.families or environment.families()
    old, new = [], []
    for family in families:
        ids = _ids(suite, environment, family, size, 2 * size.each)
        old.append(ids[: size.each])
        new.append([f"{task}/second" for task in ids[size.each : 2 * size.each]])
    half = [[task for row in zip(*part, strict=True) for task in row] for part in (old, new)]
    return Phased([("first rules", half[0]), ("second rules", half[1])], None)


ORDERS: Mapping[str, Order] = {"poker": by_seating, "support-drift": by_rules}
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
    phases, pool = ORDERS.get(suite.name, by_family)(suite, environment, size)
    items = [(task_id, phase, True) for phase, ids in phases for task_id in ids]
    if len(phases) > 1 and size.held and pool is not None:
        first, ids = phases[0]
        held = pool[: size.held]
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


def _ids(
    suite: Suite, environment: Environment, family: str, size: StreamSize, least: int
) -> list[str]:
    alone = suite.model_copy(update={"families": (family,), "eval_tasks": None})
    ids = alone.task_ids(size.split, None, 0, environment)
    if len(ids) < least:
        raise UsageError(
            f"{family} has {len(ids)} {size.split} tasks, {least} were asked for",
            hint="Ask for fewer with --each.",
        )
    return ids
