"""How an episode ended, where a judge has a part in it: alone, or beside the environment that checks it."""

from typing import Any

from ...envs.errors import LichenError
from ...envs.types import Outcome
from ...memory.ledger.events import Judged
from .desk import Desk
from .state import EpisodeState
from .subtasks import entry_of, previous


async def judged(desk: Desk, state: EpisodeState, outcome: Outcome) -> dict[str, Any]:
    """Return outcome, score and judge of an episode that is over.

    A task that the environment cannot verify is judged by the critic; without a verdict its outcome is
    unknown. In learning episodes with a plan the critic is asked also where the environment knows, and
    what its word was worth is written down (see `memory.noise`).

    Args:
        desk: Of the episode.
        state: Its state.
        outcome: The environment's own word.
    """
    seen = desk.seen
    verifiable = desk.environment.verifiable
    calibrates = desk.learn and desk.planner.style == "plan"
    if verifiable and not calibrates:
        return {"outcome": outcome}
    said = None
    try:
        if desk.critic is not None:
            said = await desk.critic.solved(seen.goal, desk.history(), seen)
    except LichenError as error:
        # an outcome that the environment knows is not lost with the judge
        if not (verifiable and error.retryable):
            raise
    if verifiable:
        if said is not None:
            event = Judged(said=said, truth=outcome == "success")
            desk.append([entry_of(state, "judged", event, previous(state))])
        return {"outcome": outcome}
    if said is None:
        return {"outcome": "unknown", "judge": "critic"}
    return {
        "outcome": "success" if said else "failure",
        "score": float(said),
        "judge": "critic",
    }
