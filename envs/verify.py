"""Do the gold trajectories win? The proof that an adapter plays the benchmark as it is meant to be played."""

from collections import Counter
from collections.abc import Callable, Sequence

from .base import Environment
from .types import SPLITS, Record, Split, Task

LONGEST = 1000


class VerifyReport(Record):
    """What the replay of gold trajectories found."""

    env: str
    tried: dict[str, int]
    """Split -> how many tasks were replayed."""
    won: dict[str, int]
    by_family: dict[str, str]
    """Family -> `won/tried`."""
    lost: tuple[str, ...]
    """Ids of the tasks whose gold trajectory did not win."""
    without: int = 0
    """Tasks that no gold trajectory is known of; they say nothing of the adapter."""

    @property
    def holds(self) -> bool:
        """Whether all of them won, and at least one was tried."""
        return not self.lost and sum(self.tried.values()) > 0


def sample(environment: Environment, splits: Sequence[Split], per_family: int | None) -> list[Task]:
    """Return the tasks to verify, the same at every call.

    Args:
        environment: Whose.
        splits: Which folds.
        per_family: The first so many of every family, spread over the splits in turn; None: all tasks.
    """
    if per_family is None:
        return [task for split in splits for task in environment.tasks(split)]
    found = []
    for family in environment.families():
        lists = [list(environment.tasks(split, [family])) for split in splits]
        found += [
            held[i // len(lists)]
            for i in range(per_family)
            if (held := lists[i % len(lists)]) and i // len(lists) < len(held)
        ]
    return found


def verify(
    environment: Environment,
    tasks: Sequence[Task],
    progress: Callable[[int, int], None] | None = None,
) -> VerifyReport:
    """Replay the gold trajectory of every task.

    Args:
        environment: Whose.
        tasks: Which.
        progress: Told how many are done, of how many.
    """
    cap, environment.max_steps = environment.max_steps, LONGEST
    tried: Counter[str] = Counter()
    won: Counter[str] = Counter()
    lost, without = [], 0
    try:
        for number, task in enumerate(tasks, start=1):
            success = _gold_wins(environment, task)
            if progress is not None:
                progress(number, len(tasks))
            if success is None:
                without += 1
                continue
            tried.update([task.split, task.family])
            won.update([task.split, task.family] if success else [])
            if not success:
                lost.append(task.id)
    finally:
        environment.max_steps = cap
    families = sorted({task.family for task in tasks if tried[task.family]})
    return VerifyReport(
        env=environment.name,
        tried={split: tried[split] for split in SPLITS if tried[split]},
        won={split: won[split] for split in SPLITS if tried[split]},
        by_family={name: f"{won[name]}/{tried[name]}" for name in families},
        lost=tuple(lost),
        without=without,
    )


def _gold_wins(environment: Environment, task: Task) -> bool | None:
    environment.reset(task.id)
    gold = environment.gold()
    if gold is None:
        return None
    for action in gold:
        done = environment.step(action)
        if done.terminated or done.truncated:
            # where the score counts, an expert's way that could not win proves nothing
            return done.observation.won or (None if environment.measure == "score" else False)
    return False
