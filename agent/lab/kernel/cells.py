"""Arms by name, the cells of an experiment (an arm at a task), and which of them are left to run."""

from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

from ....envs.errors import UnknownName

ArmT = TypeVar("ArmT")
TaskT = TypeVar("TaskT")
RowT = TypeVar("RowT")


class Cell(NamedTuple, Generic[ArmT, TaskT]):
    """One arm at one task."""

    number: int
    """From 1, in the order in which cells are run."""
    of: int
    arm: ArmT
    task: TaskT


def named(
    kind: str, names: Iterable[str], known: Mapping[str, ArmT], *, also: Iterable[str] = ()
) -> list[ArmT]:
    """Return the arms of these names, each once, in this order.

    Args:
        kind: What they are, for the message.
        names: What was asked for.
        known: Every arm.
        also: Names that the caller takes itself; only for the message.

    Raises:
        UnknownName: There is no such arm.

    >>> named("arm", ["b", "a", "b"], {"a": 1, "b": 2})
    [2, 1]
    """
    asked = list(dict.fromkeys(names))
    for name in asked:
        if name not in known:
            raise UnknownName(kind, name, [*known, *also])
    return [known[name] for name in asked]


def task_by_task(tasks: Sequence[TaskT], arms: Sequence[ArmT]) -> list[Cell[ArmT, TaskT]]:
    """Return all cells, those of one task together: what is done at any moment is paired.

    >>> [(cell.number, cell.task, cell.arm) for cell in task_by_task("xy", [0, 1])]
    [(1, 'x', 0), (2, 'x', 1), (3, 'y', 0), (4, 'y', 1)]
    """
    pairs = [(arm, task) for task in tasks for arm in arms]
    return [Cell(number, len(pairs), *pair) for number, pair in enumerate(pairs, start=1)]


def left(
    cells: Iterable[Cell[ArmT, TaskT]],
    done: Container[Hashable],
    key: Callable[[ArmT, TaskT], Hashable],
) -> Iterator[Cell[ArmT, TaskT]]:
    """Yield the cells that have no row yet, in order.

    Args:
        cells: All of them.
        done: The keys that have a row; it may grow meanwhile.
        key: The key of a cell's row.
    """
    for cell in cells:
        if key(cell.arm, cell.task) not in done:
            yield cell


def play_all(
    arms: Mapping[str, ArmT],
    tasks: Sequence[TaskT],
    play: Callable[[ArmT, TaskT], RowT],
    told: Callable[[str, Sequence[RowT]], None] | None = None,
) -> dict[str, list[RowT]]:
    """Play every task with every arm, arm by arm, nothing kept in between.

    Args:
        arms: Name -> what the arm has.
        tasks: The same for all arms.
        play: Plays one cell.
        told: Told of an arm when it is done.

    Returns:
        Name -> a row for each task, in order: rows of two arms are paired.
    """
    found = {}
    for name, arm in arms.items():
        found[name] = [play(arm, task) for task in tasks]
        if told is not None:
            told(name, found[name])
    return found
