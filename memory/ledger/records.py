"""The words of the memory: cases at two grains, queries and hits.

Records only; how they are stored, found and weighed is known elsewhere.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from ...envs.tools import Call
from ...envs.types import Outcome, Record, Split

Count = Annotated[int, Field(ge=0, le=1_000_000_000)]
"""How many; what is above is no count of anything that an agent does."""

Share = Annotated[float, Field(ge=0.0, le=1.0)]
"""A score or a probability, in [0, 1]."""

Finite = Annotated[float, Field(ge=-1e6, le=1e6)]
"""A number that can be added up."""

Source = Literal["own", "demonstration"]
"""Where a case comes from: the agent's own experience, or an imported demonstration."""

Trust = Literal["quarantined", "observed", "verified", "revoked"]
"""Trust state: `observed` or, for a demonstration, `verified`; `quarantined` while a tool that it used has
another contract now, `revoked` when it did not hold under that one (see `kinds.tool_module`)."""

Judge = Literal["environment", "critic", "person"]
"""Who decided how something ended: the environment, a model, or a person."""

Namespace = Annotated[str, Field(pattern=r"^([^/\x00-\x1f]+(/[^/\x00-\x1f]+)*)?$", max_length=200)]
"""Whose it is, from the outside in: `acme/ann`; empty: everyone's (see `namespaces`)."""


class State(Record):
    """What a policy decides on: the goal, what is seen, what is carried, what was just done."""

    goal: str
    """The task in words."""
    text: str
    """Last observation and, where the environment tells it, the place."""
    inventory: str = ""
    recent: tuple[str, ...] = ()
    """The last actions, newest first, at most three."""
    request: bool = False
    """The goal is a user's message: its words are content, not names that are exchanged between tasks."""


class MemoryRecord(Record):
    """The base of everything that is remembered and can be retrieved; every kind begins with these fields."""

    id: str
    """Content hash, 16 hex digits (see `content_id`)."""
    episode: str
    """The episode it was derived from."""
    rank: int = Field(ge=0)
    """Position of that episode among all learned episodes: a memory frozen at n holds ranks below n."""
    env: str
    family: str
    namespace: Namespace = ""
    edited: str = ""
    """Who corrected it by hand; empty: it is as it was learned."""


class StepCase(MemoryRecord):
    """One remembered step: (state, action, return), the M-MDP case of AgentFly at the step grain."""

    index: int = Field(ge=0)
    """Step number inside the episode, from 0."""
    state: State
    action: str
    offered: tuple[str, ...] = ()
    """What else could have been done, grounded, at most 64 (see `states.offered_by`)."""
    gain: float
    """Discounted share of the still missing score that was gained from here on, in [-1, 1]."""
    missing: float = Field(default=1.0, ge=0, le=1)
    """The score that was still missing before it."""
    call: Call | None = None
    """The action as the call of a tool; None where the ledger is older than tool memory."""
    error: str = ""
    """Why the action was refused."""
    answer: str = ""
    """What the tool or the environment answered; of a long one beginning and end, and how much is left out."""
    subtask: str = ""
    """What it was done for: the subtask of the plan, else the goal at that step."""
    source: Source
    events: tuple[str, ...]
    """Ids of the ledger events it was derived from."""


class SubtaskCase(MemoryRecord):
    """One remembered subtask: what was to be done, what was done for it, what came of it."""

    task_id: str
    goal: str
    """Of the task it was a part of."""
    text: str
    """The subtask in words."""
    state: str
    """What was seen when it began, shortened as an answer is."""
    index: int = Field(ge=0)
    """Its place in the plan, from 0."""
    of: int = Field(ge=1)
    """How many subtasks the plan had."""
    attempt: int = Field(ge=0)
    """How often the plan was made anew before."""
    actions: tuple[str, ...]
    calls: tuple[Call, ...] = ()
    """The same as calls, where known."""
    result: str
    outcome: Outcome
    judge: Judge = "environment"
    source: Source
    events: tuple[str, ...]


class EpisodeCase(MemoryRecord):
    """One remembered episode: task, plan, actions, outcome (the case of AgentFly, section 3.1)."""

    split: Split
    task_id: str
    goal: str
    plan: tuple[str, ...]
    """The subtasks that were planned; empty for a reactive policy."""
    actions: tuple[str, ...]
    outcome: Outcome
    score: float
    source: Source
    trust: Trust
    llm: str
    """Fingerprint of the model that acted; empty for a demonstration."""
    events: tuple[str, ...]


Case = EpisodeCase | StepCase | SubtaskCase
"""A case of any grain."""


class Hit(Record):
    """One retrieved case with the reason why."""

    case: StepCase
    action: str
    """The case's action in the words of the present task (entities mapped through the two goals)."""
    about: str
    """The case's action, grounded (see `grounding`), in the words of the present task."""
    offered: frozenset[str] = frozenset()
    """What the case's state offered, grounded, in the same words."""
    similarity: float
    """In [0, 1]."""
    why: str
    """The strongest shared features, for people."""
    propensity: float = 1.0
    """Probability with which it is shown (see `exposure`)."""


OwnSteps = Mapping[tuple[str, bool], tuple[float, float]]
"""A name of an action (see `action_values.names`), and whether it was done before in its episode: how often it
was taken, and the sum of its gains as shares of the most that was gained in the environment."""


class Hits(Record):
    """The answer to one read."""

    hits: tuple[Hit, ...]
    """Best first; empty when the memory abstains."""
    held: tuple[Hit, ...] = ()
    """Found too, and held out at random: never shown, so that the effect of showing them can be told."""
    considered: int
    """How many cases the index proposed."""
    abstained: bool
    """True when nothing reached the floor of similarity."""
    scale: float = Field(default=1.0, gt=0)
    """The most that any remembered step of the environment gained; gains are shares of it."""
    own: OwnSteps = {}
    """What the agent's own steps in the environment gained by action, whatever the state."""
