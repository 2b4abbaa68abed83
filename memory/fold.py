"""State = fold(events): the cases that the ledger implies, the same on every machine.

Pure: it reads rows and returns records. A case comes from an ended, learnable episode whose outcome is
known; an unknown outcome leaves no case.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from .events import EpisodeEnded, EpisodeStarted, Planned, Stepped
from .ledger import Row
from .types import EpisodeCase, State, StepCase

DISCOUNT = 0.95
"""Per step; a case's gain prefers the shorter way (AgentFly eq. 5 with gamma = 0.95)."""


@dataclass
class OpenEpisode:
    """An episode whose end was not yet read."""

    started: EpisodeStarted
    start_id: str
    steps: list[tuple[str, Stepped]] = field(default_factory=list)
    plan: tuple[str, ...] = ()


@dataclass
class Fold:
    """Folds rows one after another; feed it with `apply`, in order, each row once."""

    open: dict[str, OpenEpisode] = field(default_factory=dict)
    episodes: int = 0
    """How many episodes became cases so far."""
    seq: int = 0
    """Last row applied."""

    def apply(self, rows: Iterable[Row]) -> Iterator[tuple[EpisodeCase, tuple[StepCase, ...]]]:
        """Yield the cases of every episode that these rows complete."""
        for row in rows:
            self.seq = row.seq
            match row.event:
                case EpisodeStarted():
                    self.open[row.episode] = OpenEpisode(row.event, row.key)
                case Planned() if row.episode in self.open:
                    self.open[row.episode].plan = row.event.subtasks
                case Stepped() if row.episode in self.open:
                    self.open[row.episode].steps.append((row.key, row.event))
                case EpisodeEnded() if row.episode in self.open:
                    opened = self.open.pop(row.episode)
                    if row.event.learn and row.event.outcome != "unknown" and opened.steps:
                        yield _cases(row.episode, self.episodes, opened, row.key, row.event)
                        self.episodes += 1


def gains(scores: list[float], final: float, *, discount: float = DISCOUNT) -> list[float]:
    """Return for every step the discounted share of the still missing score gained from it on.

    Args:
        scores: Score before each step, in [0, 1], length n.
        final: Score after the last step.
        discount: Per step, in (0, 1].

    Returns:
        Values in [-1, 1], length n. A step from which nothing was gained any more has 0.

    >>> [round(g, 3) for g in gains([0.0, 0.5], 1.0, discount=0.5)]
    [0.75, 1.0]
    """
    values, ahead = [0.0] * len(scores), 0.0
    after = final
    for i in range(len(scores) - 1, -1, -1):
        ahead = (after - scores[i]) + discount * ahead
        missing = 1.0 - scores[i]
        values[i] = max(-1.0, min(1.0, ahead / missing)) if missing > 1e-9 else 0.0
        after = scores[i]
    return values


def _cases(
    episode: str, rank: int, opened: OpenEpisode, end_id: str, ended: EpisodeEnded
) -> tuple[EpisodeCase, tuple[StepCase, ...]]:
    start = opened.started
    taken = [event for _, event in opened.steps]
    gained = gains([event.score_before for event in taken], taken[-1].score_after)
    whole = EpisodeCase(
        id=content_id("episode", episode, start.task_id, *(event.action for event in taken)),
        episode=episode,
        rank=rank,
        env=start.env,
        family=start.family,
        split=start.split,
        task_id=start.task_id,
        goal=start.goal,
        plan=opened.plan,
        actions=tuple(event.action for event in taken),
        outcome=ended.outcome,
        score=ended.score,
        source=start.source,
        trust="verified" if start.source == "demonstration" else "observed",
        llm=start.llm,
        events=(opened.start_id, end_id),
    )
    steps = tuple(
        StepCase(
            id=content_id("step", episode, str(event.step), event.text, event.action),
            episode=episode,
            rank=rank,
            env=start.env,
            family=start.family,
            index=event.step,
            state=State(
                goal=event.goal, text=event.text, inventory=event.inventory, recent=event.recent
            ),
            action=event.action,
            offered=event.offered,
            gain=round(gain, 6),
            source=start.source,
            events=(key, end_id),
        )
        for (key, event), gain in zip(opened.steps, gained, strict=True)
    )
    return whole, steps


def content_id(*parts: str) -> str:
    """Return 16 hex digits that name the content.

    >>> content_id("a", "b") == content_id("a", "b") != content_id("ab")
    True
    """
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]
