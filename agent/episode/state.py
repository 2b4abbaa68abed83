"""The state of one episode as the graph checkpoints it: small, plain, enough to resume.

Observations are not in it: the environment is replayed from `actions` on resume and compared with
`digest`; one that replays differently (see `Environment.deterministic`) ends the episode as unknown.
"""

from typing import NotRequired, TypedDict

from ...envs.types import Outcome
from ...memory.ledger.records import Judge


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
    idle: NotRequired[list[str]]
    """Calls of skills that failed, which are offered no more."""
    action: NotRequired[str]
    """Chosen, not yet taken."""
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
