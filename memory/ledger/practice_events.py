"""The events of practice (see `agent.practice`)."""

from typing import Literal

from pydantic import Field

from ...envs.types import Outcome, Record
from .records import Count


class Answered(Record):
    """A question about a goal of practice that a model answered."""

    question: str
    goal: str
    """That it is about, in words."""
    answer: str


class Practised(Record):
    """One iteration of practice ended (see `agent.practice`)."""

    version: Literal[1] = 1
    type: Literal["practised"] = "practised"
    number: Count
    goal: str
    """The fact that was to come about."""
    outcome: Outcome
    """Success when the goal came to hold; unknown when the environment or the jail broke."""
    gained: tuple[str, ...] = ()
    """Goals that came to hold, whichever was aimed at."""
    steps: Count = 0
    """Steps of the environment in the attempt."""
    practice_steps: Count = 0
    """Steps spent besides: minimising and testing."""
    moves: Count = 0
    skills: dict[str, str] = Field(default_factory=dict)
    """Goal -> the skill that was admitted for it, `name@version`."""
    refused: tuple[str, ...] = ()
    """Why skills were not."""
    lessons: tuple[str, ...] = ()
    """What the explorer learned, as JSON."""
    played: tuple[str, ...] = ()
    """The moves with their steps, as JSON, where the next iteration goes on in this world; "" begins it."""
    answers: tuple[Answered, ...] = ()
    """What a model was asked about the goal in this iteration."""
    library: str = ""
    """The library's last commit after the iteration; empty without a library, and in older events."""
