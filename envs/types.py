"""The words of the lowest floor: task, observation, transition, outcome.

Knows nothing of memory, models or where a task comes from; the adapters fill these records in.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from .text import whole

Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = ("train", "dev", "test")

Outcome = Literal["success", "failure", "unknown"]
"""How an episode ended; a crash, an outage or a time-out is `unknown`, never `failure`."""

ActionMode = Literal["choice", "text", "tool_call", "code"]

Measure = Literal["success", "score"]
"""What an environment is spoken of in: `score` where something is scored and winning is nothing, or not all."""

Fact = bool | int | float | str
"""Something that holds in an environment now (see `Environment.facts`)."""


Text = Annotated[str, AfterValidator(whole)]
"""Text from outside: what UTF-8 cannot write is replaced (see `text.whole`)."""


class Record(BaseModel):
    """Base of everything that is stored or crosses a folder: frozen, and it knows all its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


WORLDS = 1_000_000
"""Worlds of a fold."""


def world_number(split: Split, number: int) -> int:
    """Return a number for a world that no other fold has: what an environment makes of it is never shared.

    Args:
        split: The fold.
        number: Of the task in it, from 0, below a million.

    >>> [world_number(split, 7) for split in SPLITS]
    [7, 1000007, 2000007]
    """
    return SPLITS.index(split) * WORLDS + number


class Task(Record):
    """One addressable task of an environment; its id never changes its meaning."""

    id: str
    """Stable id `ENV/...`, for example `twx/mapreader/test/3`."""
    env: str
    """Name of the environment, as `lichen envs list` prints it."""
    family: str
    """The kind of task (a game, a task type): curves are also reported by family."""
    split: Split
    """Which fold the task belongs to: learn on train, tune on dev, report on test."""


class Observation(Record):
    """What the agent may know after `reset` or `step`; gold actions and score weights are never in it."""

    text: Text
    """The environment's answer to the last action (after `reset`: the opening text)."""
    goal: Text
    """The task in words, as the benchmark states it."""
    admissible: tuple[Text, ...] | None
    """Actions the environment accepts now, sorted; None when any text is allowed."""
    score: float = Field(ge=0.0, le=1.0)
    """Absolute score so far, in [0, 1]."""
    won: bool
    """Whether the task is solved."""
    task: Task
    """Which task this is."""
    steps: int = Field(ge=0)
    """How many actions were taken since `reset`."""
    inventory: Text = ""
    """What the agent carries, where the environment tells it for free."""
    look: Text = ""
    """The place where the agent is, where the environment tells it for free."""
    reworded: bool = False
    """Whether other wordings of actions than the admissible ones are understood too."""
    request: bool = False
    """Whether the goal is a user's message in free words, and no form with names of things in it."""


class Transition(Record):
    """What `Environment.step` returns (gymnasium's five-tuple with names)."""

    observation: Observation
    reward: float
    """Change of the score by this action; can be negative."""
    terminated: bool
    """The task's own end: solved, or lost for good."""
    truncated: bool
    """A limit from outside: the step cap."""
    error: Text = ""
    """Why the action was refused, in words; empty when it was taken."""
