"""How an episode ended: by the environment, by a judge where there is no check, or by both."""

from typing import Any

from ...envs.errors import LichenError
from ...envs.types import Observation, Outcome
from ...memory.ledger.events import Judged
from .parts import EpisodeParts
from .state import EpisodeState
from .subtasks import entry_of, previous


def outcome_of(seen: Observation, *, ended: bool) -> Outcome | None:
    """Return how the episode ended, None while it goes on."""
    if seen.won:
        return "success"
    return "failure" if ended else None


async def judged(parts: EpisodeParts, state: EpisodeState, outcome: Outcome) -> dict[str, Any]:
    """Return outcome, score and judge of an episode that is over.

    A task that the environment cannot verify is judged by the critic; without a verdict its outcome is
    unknown. In learning episodes with a plan the critic is asked also where the environment knows, and
    what its word was worth is written down (see `memory.credit.judge_rates`).

    Args:
        parts: Of the episode.
        state: Its state.
        outcome: The environment's own word.
    """
    seen = parts.stage.seen
    verifiable = parts.stage.environment.verifiable
    calibrates = parts.learn and parts.planner is not None
    if verifiable and not calibrates:
        return {"outcome": outcome}
    said = None
    try:
        if parts.critic is not None:
            said = await parts.critic.solved(seen.goal, parts.stage.history, seen)
    except LichenError as error:
        # an outcome that the environment knows is not lost with the judge
        if not (verifiable and error.retryable):
            raise
    if verifiable:
        if said is not None:
            event = Judged(said=said, truth=outcome == "success")
            parts.append([entry_of(state, "judged", event, previous(state))])
        return {"outcome": outcome}
    if said is None:
        return {"outcome": "unknown", "judge": "critic"}
    return {
        "outcome": "success" if said else "failure",
        "score": float(said),
        "judge": "critic",
    }
