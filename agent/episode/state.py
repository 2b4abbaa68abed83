"""The state of one episode, as it flows along the graph's edges.

What is checkpointed is small and plain, enough to resume. Observations are not: the environment is replayed
from `actions` and compared with `digest`; one that replays differently (see `Environment.deterministic`) ends
the episode as unknown. What was recalled and thought at a step flows too, and is made anew on resume.
"""

from collections.abc import Mapping
from typing import Annotated, Any, NotRequired, TypedDict, cast

from langgraph.channels import UntrackedValue

from ...envs.types import Outcome
from ...memory.ledger.records import Judge
from ..llm.thought import Thought
from .recollection import Recollection


class EpisodeState(TypedDict):
    """What the nodes of the graph read and write."""

    episode: str
    """Id of the episode, also the thread of the checkpointer."""
    run: str
    task_id: str
    seed: int
    actions: list[str]
    """Actions taken so far, oldest first."""
    digest: NotRequired[str]
    """Hash of the last observation, to notice an environment that replays differently."""
    plan: NotRequired[list[str]]
    """Subtasks; empty for a reactive planner."""
    subtask: NotRequired[int]
    """Number of the current subtask."""
    subtask_steps: NotRequired[int]
    """Steps spent on it."""
    done: NotRequired[list[str]]
    """Subtasks that were done in this episode, with what came of them."""
    failed: NotRequired[list[str]]
    """Subtasks that were given up, with the reason."""
    replans: NotRequired[int]
    replan: NotRequired[str]
    """Why a new plan is needed; empty when none is."""
    hints: NotRequired[dict[str, str]]
    """Subtask -> what to do now in words: it, and how one like it was done elsewhere."""
    recalled: NotRequired[Annotated[Recollection, UntrackedValue]]
    """What was recalled at this step; never checkpointed."""
    thought: NotRequired[Annotated[Thought, UntrackedValue]]
    """The assistant's thought at this step; never checkpointed."""
    idle: NotRequired[list[str]]
    """Calls of skills that failed, which are offered no more."""
    action: NotRequired[str]
    """Chosen, not yet taken."""
    weighed: NotRequired[dict[str, Any] | None]
    """What the channels said of its options: the fields of a `ChannelsWeighed` event."""
    talk: NotRequired[list[dict[str, Any]]]
    """The conversation with a model that talks, turn by turn."""
    kl: NotRequired[float | None]
    """KL(pi_M || pi_LLM) of that choice, in nats."""
    kls: NotRequired[list[float | None]]
    """The same of every action so far."""
    ended: NotRequired[bool]
    """The environment terminated or truncated the episode."""
    outcome: NotRequired[Outcome | None]
    judge: NotRequired[Judge]
    """Who said so."""
    score: NotRequired[float]
    critique: NotRequired[str]


def current_subtask(state: EpisodeState) -> str:
    """Return the subtask that is on, an empty text without a plan."""
    subtasks = state.get("plan", [])
    return subtasks[state.get("subtask", 0)] if subtasks else ""


def hint_now(state: EpisodeState) -> str:
    """Return what to do now in words, an empty text without a plan."""
    return state.get("hints", {}).get(current_subtask(state), "")


def with_update(state: EpisodeState, update: Mapping[str, object]) -> EpisodeState:
    """Return the state as it is after a node's update."""
    return cast(EpisodeState, {**state, **update})
