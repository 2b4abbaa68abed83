"""The typed, versioned events of the ledger; the only form in which anything is learned.

An event is never changed. A new form gets a new version number, and `parse` keeps reading the old one.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from ..envs.types import Outcome, Record, Split
from .types import Source

Origin = Literal["own", "demonstration", "person", "import"]
"""Where evidence comes from: the agent's own experience, a demonstration, a person, another store."""


class _Event(Record):
    version: Literal[1] = 1


class RunStarted(_Event):
    """A command began to run episodes."""

    type: Literal["run_started"] = "run_started"
    command: str
    suite: str
    seed: int
    fingerprint: str
    """Of the frozen model before the run."""
    config: dict[str, Any]


class RunEnded(_Event):
    """A command came to its end, with the fingerprint after it."""

    type: Literal["run_ended"] = "run_ended"
    fingerprint: str
    episodes: int


class EpisodeStarted(_Event):
    """An episode of a task began."""

    type: Literal["episode_started"] = "episode_started"
    env: str
    family: str
    split: Split
    task_id: str
    goal: str
    source: Source
    llm: str = ""


class Recalled(_Event):
    """What a read considered and exposed, and with which probability (the ground of later credit)."""

    type: Literal["recalled"] = "recalled"
    step: int
    considered: int
    exposed: tuple[str, ...]
    """Ids of the cases shown to the policy, best first."""
    similarity: tuple[float, ...]
    propensity: tuple[float, ...]
    """Probability with which each exposed case was exposed; 1.0 where nothing is held out."""
    abstained: bool
    held: tuple[str, ...] = ()
    """Ids of the cases that were found and held out at random."""
    held_propensity: tuple[float, ...] = ()
    """Probability with which each of those would have been exposed."""


class Planned(_Event):
    """The planner decomposed the task."""

    type: Literal["planned"] = "planned"
    step: int
    subtasks: tuple[str, ...]
    reason: str = ""


class Stepped(_Event):
    """One action was taken and answered."""

    type: Literal["stepped"] = "stepped"
    step: int
    goal: str
    text: str
    """What the agent saw when it chose."""
    inventory: str
    recent: tuple[str, ...]
    action: str
    offered: tuple[str, ...] = ()
    """What could have been done, grounded, at most 64 (see `memory.grounding`)."""
    observation: str
    score_before: float
    score_after: float
    kl: float | None = None
    """KL(pi_M || pi_LLM) of the decision in nats, where both were known."""


class EpisodeEnded(_Event):
    """An episode ended; `unknown` never becomes a case."""

    type: Literal["episode_ended"] = "episode_ended"
    outcome: Outcome
    score: float
    steps: int
    reason: str = ""
    learn: bool = True
    """False for evaluation episodes: they are recorded and never learned from."""


class Forgotten(_Event):
    """An episode was forgotten: its events lost their content, and the same evidence is refused from now on."""

    type: Literal["forgotten"] = "forgotten"
    target: str
    """Id of the episode."""
    evidence: str
    """Hash of what it was evidence of (see `fold.evidence_of`); the tombstone."""
    dependants: tuple[str, ...] = ()
    """Episodes whose decisions saw its cases, and so may carry something of it."""
    reason: str = ""


Event = Annotated[
    RunStarted
    | RunEnded
    | EpisodeStarted
    | Recalled
    | Planned
    | Stepped
    | EpisodeEnded
    | Forgotten,
    Field(discriminator="type"),
]
_adapter: TypeAdapter[Event] = TypeAdapter(Event)


def parse(payload: str) -> Event:
    """Return the event that `payload` (JSON) holds.

    Raises:
        ValueError: It holds none, or one of a version this Lichen does not know.

    >>> parse('{"type": "run_ended", "fingerprint": "f", "episodes": 3}').episodes
    3
    """
    try:
        return _adapter.validate_json(payload)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{first['msg']} at {'.'.join(map(str, first['loc']))}") from error
