"""The event of a verdict that came after an episode's end: from a person, a check, or a model."""

from typing import Literal

from ...envs.types import Outcome, Record, Text
from .records import Judge, Share


def is_right(score: float) -> bool:
    """Return whether a verdict of this score says that an episode was a success."""
    return score >= 0.5


class Feedback(Record):
    """What somebody said of an ended episode; it counts from now on, whatever was said before."""

    version: Literal[1] = 1
    type: Literal["feedback"] = "feedback"
    score: Share
    """1: it was right, 0: it was wrong; an episode of 0.5 and more is a success."""
    correct: Text = ""
    """What the answer should have been; empty where that was not said."""
    note: Text = ""
    """Why, in words."""
    judge: Judge = "person"

    @property
    def outcome(self) -> Outcome:
        """What it makes of the episode."""
        return "success" if is_right(self.score) else "failure"
