"""The row of a comparison: one task of the stream, met by one arm, and what learning from it took."""

from ....envs.types import Outcome, Record


class StreamRow(Record):
    """One episode of a comparison."""

    arm: str
    number: int
    """Place of the task in the stream, from 0."""
    phase: str
    task_id: str
    family: str
    learns: bool
    outcome: Outcome
    score: float
    steps: int
    tokens_in: int
    """Read by the model while it acted."""
    cached: int
    """Of those: from a server's prefix cache."""
    tokens_out: int
    seconds: float
    learning_in: int = 0
    """Read by the model while the method learned from the episode."""
    learning_out: int = 0
    learning_seconds: float = 0.0

    @property
    def key(self) -> tuple[str, int]:
        """What the row is about."""
        return self.arm, self.number

    def value(self, measure: str) -> float:
        """Return its success or its score."""
        return float(self.outcome == "success") if measure == "success" else self.score
