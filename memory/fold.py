"""State = fold(events): the cases that the ledger implies, the same on every machine.

Pure: it reads rows and returns records. A case comes from an ended, learnable episode whose outcome is
known; an unknown outcome leaves no case.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .credit import Credit, Exposure
from .events import EpisodeEnded, EpisodeStarted, Forgotten, Planned, Recalled, Stepped
from .ledger import Row
from .types import EpisodeCase, State, StepCase

DISCOUNT = 0.95
"""Per step; a case's gain prefers the shorter way (AgentFly eq. 5 with gamma = 0.95)."""


class Trial(NamedTuple):
    """A remembered episode that was shown to a task, and how the task ended: what Q is learned from."""

    goal: str
    item: str
    """The remembered episode."""
    outcome: float
    """Score of the acting episode, in [0, 1]."""
    rank: int
    """How many episodes were cases by then: a memory frozen at n learns from ranks below n."""


@dataclass
class OpenEpisode:
    """An episode whose end was not yet read."""

    started: EpisodeStarted
    start_id: str
    steps: list[tuple[str, Stepped]] = field(default_factory=list)
    plan: tuple[str, ...] = ()
    considered: dict[str, Exposure] = field(default_factory=dict)
    """Remembered episodes that its reads found, as they were at the first of them."""


@dataclass
class Fold:
    """Folds rows one after another; feed it with `apply`, in order, each row once."""

    open: dict[str, OpenEpisode] = field(default_factory=dict)
    episodes: int = 0
    """How many episodes became cases so far."""
    seq: int = 0
    """Last row applied."""
    credit: Credit = field(default_factory=Credit)
    """Uplifts of the remembered episodes."""
    trials: list[Trial] = field(default_factory=list)
    """What was shown and how it ended, in order."""
    sources: dict[str, str] = field(default_factory=dict)
    """Step case -> the episode it was derived from."""
    tombstones: dict[str, str] = field(default_factory=dict)
    """Evidence that was forgotten, and the episode it was in."""
    flagged: dict[str, str] = field(default_factory=dict)
    """Episodes that saw cases of a forgotten one, and which."""

    def apply(self, rows: Iterable[Row]) -> Iterator[tuple[EpisodeCase, tuple[StepCase, ...]]]:
        """Yield the cases of every episode that these rows complete."""
        for row in rows:
            self.seq = row.seq
            match row.event:
                case None:
                    self.open.pop(row.episode, None)
                case Forgotten():
                    self.tombstones[row.event.evidence] = row.event.target
                    self.flagged |= dict.fromkeys(row.event.dependants, row.event.target)
                case EpisodeStarted():
                    self.open[row.episode] = OpenEpisode(row.event, row.key)
                case Recalled() if row.episode in self.open:
                    self._note(self.open[row.episode], row.event)
                case Planned() if row.episode in self.open:
                    self.open[row.episode].plan = row.event.subtasks
                case Stepped() if row.episode in self.open:
                    self.open[row.episode].steps.append((row.key, row.event))
                case EpisodeEnded() if row.episode in self.open:
                    opened = self.open.pop(row.episode)
                    if row.event.outcome != "unknown" and opened.considered:
                        seen = list(opened.considered.values())
                        self.credit.observe(opened.started.family, seen, row.event.score)
                        self.trials += [
                            Trial(opened.started.goal, e.item, row.event.score, self.episodes)
                            for e in seen
                            if e.exposed
                        ]
                    if not row.event.learn or row.event.outcome == "unknown" or not opened.steps:
                        continue
                    actions = [event.action for _, event in opened.steps]
                    if evidence_of(opened.started.task_id, actions) not in self.tombstones:
                        made = _cases(row.episode, self.episodes, opened, row.key, row.event)
                        self.sources |= {case.id: row.episode for case in made[1]}
                        yield made
                        self.episodes += 1

    def _note(self, acting: OpenEpisode, recalled: Recalled) -> None:
        """Note what a read found; a case that is forgotten by now is no item any more."""
        for ids, chances, exposed in (
            (recalled.exposed, recalled.propensity, True),
            (recalled.held, recalled.held_propensity, False),
        ):
            for name, chance in zip(ids, chances, strict=True):
                item = self.sources.get(name)
                if item is not None:
                    found = Exposure(item=item, exposed=exposed, propensity=chance)
                    acting.considered.setdefault(item, found)


def evidence_of(task_id: str, actions: Sequence[str]) -> str:
    """Return the hash of what an episode is evidence of: these actions in this task."""
    return content_id("evidence", task_id, *actions)


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
