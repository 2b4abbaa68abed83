"""The typed, versioned events of the ledger; the only form in which anything is learned. None is ever changed:
a new form gets a new version number, and `parse` keeps reading the old one.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from ...envs.tools import Call
from ...envs.types import Fact, Outcome, Record, Split
from .call_events import ApprovalAsked, ApprovalGiven, CallBegun, CallEnded
from .cost_event import CostNoted
from .curation_events import CaseEdited, Pinned, Quarantined
from .feedback_event import Feedback
from .old_events import FirstRecalled
from .playbook_event import BulletWritten
from .practice_events import Practised
from .records import Count, Finite, Judge, Namespace, Share, Source

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
    episodes: Count


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
    namespace: Namespace = ""
    thread: str = ""
    """The conversation that it is a turn of; empty: none."""
    bullets: tuple[str, ...] = ()
    """Ids of the playbook's bullets that the model read."""


class RecalledItem(Record):
    """One item that a read found."""

    case: str
    """Id of the case; of a skill `name@version`."""
    exposed: bool
    """Whether it was shown to the policy; False when it was held out at random."""
    similarity: Finite | None = None
    """In [0, 1]; None where it was held out."""
    propensity: Share
    """Probability with which it was to be shown; 1.0 where nothing is held out."""


class Recalled(Record):
    """What a read considered and exposed, and with which probability (the ground of later credit).

    Rows of version 1 held the items as parallel tuples. They are still read, and never rewritten.
    """

    version: Literal[2] = 2
    type: Literal["recalled"] = "recalled"
    step: Count
    considered: Count
    """How many items the index proposed."""
    items: tuple[RecalledItem, ...]
    """What was found: first what was shown, best first, then what was held out at random."""
    abstained: bool
    grain: Literal["steps", "episodes", "subtasks", "skills"] = "steps"
    """What was read: step cases for the policy, whole episodes or subtasks for the planner, or skills."""

    @property
    def shown(self) -> tuple[RecalledItem, ...]:
        """The items that the policy saw, best first."""
        return tuple(item for item in self.items if item.exposed)

    @property
    def held(self) -> tuple[RecalledItem, ...]:
        """The items that were held out at random."""
        return tuple(item for item in self.items if not item.exposed)

    @model_validator(mode="before")
    @classmethod
    def _first_form(cls, given: Any) -> Any:
        """Read version 1, which held parallel tuples."""
        if not isinstance(given, dict) or given.get("version", 2) != 1:
            return given
        return FirstRecalled.model_validate(given).now()


class Planned(_Event):
    """The planner decomposed the task."""

    type: Literal["planned"] = "planned"
    step: Count
    subtasks: tuple[str, ...]
    reason: str = ""


class Stepped(_Event):
    """One action was taken and answered."""

    type: Literal["stepped"] = "stepped"
    step: Count
    goal: str
    text: str
    """What the agent saw when it chose."""
    inventory: str
    recent: tuple[str, ...]
    action: str
    offered: tuple[str, ...] = ()
    """What could have been done, grounded, at most 64 (see `memory.likeness.grounding`)."""
    observation: str
    score_before: Share
    score_after: Share
    kl: float | None = None
    """KL(pi_M || pi_LLM) of the decision in nats, where both were known."""
    call: Call | None = None
    """The action as the call of a tool, with the contract that it had then; None where no tool was called."""
    error: str = ""
    """Why the action was refused."""
    terminated: bool = False
    """Whether the task ended with it for good, and not at a limit of steps."""
    subtask: str = ""
    """The subtask of the plan that it was done for; empty without a plan."""
    request: bool = False
    """Whether the goal was a user's message in free words."""
    skill: str = ""
    """The skill (`name@version`) that took the step; empty when the agent did."""
    thought: str = ""
    """What was thought in words before it, by the assistant or by the model beside its call; never a case."""


class SubtaskEnded(_Event):
    """A subtask of the plan was done, given up, or ended with the episode."""

    type: Literal["subtask_ended"] = "subtask_ended"
    step: Count
    """How many steps the episode had by then."""
    first: Count
    """Its first step; it has none when that is `step`."""
    text: str
    index: Count
    """Its place in the plan, from 0."""
    of: Count
    """How many subtasks the plan had."""
    attempt: Count
    """How often the plan was made anew before."""
    outcome: Outcome
    result: str
    """What was seen last, or why it was given up."""
    judge: Judge


class Judged(_Event):
    """A judge's verdict on an episode whose outcome the environment knows: this measures the judge."""

    type: Literal["judged"] = "judged"
    said: bool
    """Whether it took the task for solved."""
    truth: bool


class SkillCalled(_Event):
    """A skill was called; the steps it took stand as steps of their own."""

    type: Literal["skill_called"] = "skill_called"
    step: Count
    """How many steps the episode had when it was called."""
    skill: str
    """`name@version`."""
    arguments: dict[str, Fact]
    outcome: Outcome
    """By its postconditions; unknown when the jail or the environment broke."""
    reason: str = ""
    steps: Count = 0
    """How many steps it took."""
    level: str = ""
    """The jail it ran in."""
    within: str = ""
    """The skill that called it; empty when the agent did."""


class EpisodeEnded(_Event):
    """An episode ended; `unknown` never becomes a case."""

    type: Literal["episode_ended"] = "episode_ended"
    outcome: Outcome
    score: Share
    steps: Count
    reason: str = ""
    learn: bool = True
    """False for evaluation episodes: they are recorded and never learned from."""
    judge: Judge = "environment"


class ChannelsWeighed(_Event):
    """What each channel said of the options of a decision (see `credit.channel_weights`)."""

    type: Literal["channels_weighed"] = "channels_weighed"
    step: Count
    env: str
    family: str
    llm: str
    """Fingerprint of the model that was asked; empty when none was."""
    learned: Count
    """How many episodes memory had learned by then."""
    options: tuple[tuple[float, ...], ...]
    """See `KnownDecision.options`."""
    taken: Count
    """Row of the action that was taken."""
    propensity: Share = 1.0
    """Probability with which it was taken."""
    match: str = ""
    """How a model's free text became an action; empty where nothing was matched."""


class Forgotten(_Event):
    """An episode was forgotten: its events lost their content, and the same evidence is refused from now on."""

    type: Literal["forgotten"] = "forgotten"
    target: str
    """Id of the episode."""
    evidence: str
    """Hash of what it was evidence of (see `content_id.evidence_of`); the tombstone."""
    dependants: tuple[str, ...] = ()
    """Episodes whose decisions saw its cases, and so may carry something of it."""
    reason: str = ""


class ContractSeen(_Event):
    """A tool was found to have this contract from now on; what used another is quarantined."""

    type: Literal["contract_seen"] = "contract_seen"
    env: str
    tool: str
    schema_hash: str
    """Empty: the tool is gone."""


class Reverified(_Event):
    """A quarantined episode was replayed under the present contracts."""

    type: Literal["reverified"] = "reverified"
    target: str
    """Id of the episode."""
    holds: bool
    """Whether it came to the recorded outcome again; what does not is revoked."""
    contracts: dict[str, str]
    """Tool -> hash of the contract under which it was replayed."""
    reason: str = ""


class Evicted(_Event):
    """A full memory let an episode go: it is retrieved no more, and stays in the ledger."""

    type: Literal["evicted"] = "evicted"
    target: str
    """Id of the episode."""
    capacity: Count
    utility: Finite
    """Its utility then, the lowest of all."""
    reason: str = ""


Event = Annotated[
    RunStarted
    | RunEnded
    | EpisodeStarted
    | Recalled
    | Planned
    | Stepped
    | EpisodeEnded
    | SubtaskEnded
    | Judged
    | SkillCalled
    | Practised
    | Forgotten
    | ContractSeen
    | Reverified
    | Evicted
    | ChannelsWeighed
    | CallBegun
    | CallEnded
    | ApprovalAsked
    | ApprovalGiven
    | CostNoted
    | Feedback
    | CaseEdited
    | Pinned
    | Quarantined
    | BulletWritten,
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
