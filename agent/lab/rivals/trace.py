"""What a method is told of an episode that ended: the same for every method, read from the ledger."""

from collections.abc import Iterable

from ....envs.errors import UsageError
from ....envs.text import shortened
from ....envs.types import Outcome, Record
from ....memory.ledger.events import EpisodeEnded, EpisodeStarted, Stepped
from ....memory.ledger.ledger import LedgerRow

_ANSWER = 300
"""Characters of one answer as a model reads it."""


class TraceStep(Record):
    """One step."""

    text: str
    """What was seen when the action was chosen."""
    action: str
    answer: str
    error: str
    """Why it was refused; empty: it was not."""
    reward: float
    """Score after it less score before."""


class EpisodeTrace(Record):
    """One episode."""

    episode: str
    task_id: str
    family: str
    goal: str
    steps: tuple[TraceStep, ...]
    outcome: Outcome
    score: float

    @property
    def won(self) -> bool:
        """Whether it was solved."""
        return self.outcome == "success"

    def lines(self, answer: int = _ANSWER) -> list[str]:
        """Return it as text, an action and its answer on two lines.

        Args:
            answer: Characters of an answer at most.
        """
        said = [f"Task: {' '.join(self.goal.split())}"]
        if self.steps:
            said.append(f"First seen: {shortened(self.steps[0].text, answer)}")
        for step in self.steps:
            said.append(f"Action: {step.action}")
            said.append(f"Answer: {shortened(' '.join(step.answer.split()), answer)}")
        said.append(
            "It was solved." if self.won else f"It was NOT solved (score {self.score:.2f})."
        )
        return said


def trace_of(rows: Iterable[LedgerRow]) -> EpisodeTrace:
    """Return the trace of an episode's rows.

    Raises:
        UsageError: They hold no whole episode.
    """
    started: EpisodeStarted | None = None
    ended: EpisodeEnded | None = None
    steps: list[TraceStep] = []
    episode = ""
    for row in rows:
        match row.event:
            case EpisodeStarted():
                started, episode = row.event, row.episode
            case Stepped():
                steps.append(
                    TraceStep(
                        text=row.event.text,
                        action=row.event.action,
                        answer=row.event.observation,
                        error=row.event.error,
                        reward=row.event.score_after - row.event.score_before,
                    )
                )
            case EpisodeEnded():
                ended = row.event
    if started is None or ended is None:
        raise UsageError("these events are no whole episode")
    return EpisodeTrace(
        episode=episode,
        task_id=started.task_id,
        family=started.family,
        goal=started.goal,
        steps=tuple(steps),
        outcome=ended.outcome,
        score=ended.score,
    )
