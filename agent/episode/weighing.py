"""Lessons about the channels: what each said where the right action is known, or will be.

A learning episode leaves one at every step. Along a demonstration the right action is known at once: there
the model is asked what it would have done, which says how far it can be trusted here.
"""

from collections.abc import Collection
from typing import Any

from ...memory.credit.channel_weights import CHANNELS, compact
from ...memory.ledger.content_id import content_id
from ...memory.ledger.events import ChannelsWeighed
from ...memory.ledger.ledger import Entry
from ...memory.ledger.records import EpisodeCase
from ..acting.policy import Weighted
from ..acting.situation import Situation
from ..llm.errors import LLMNonsense
from .parts import EpisodeParts
from .recollect import recollect, situation_of, think
from .state import EpisodeState


def lesson(made: Weighted) -> dict[str, Any] | None:
    """Return what an event says of the action that was taken; None where it was no option, or the only one."""
    return _lesson(made, made.decision.action, made.propensity)


def _lesson(made: Weighted, action: str, propensity: float) -> dict[str, Any] | None:
    if len(made.actions) < 2 or action not in made.actions:
        return None
    options, taken = compact(made.features, made.actions.index(action))
    return {
        "options": options,
        "taken": taken,
        "propensity": round(propensity, 6),
        "match": made.opinion.match,
    }


async def weigh_along(
    parts: EpisodeParts, demonstration: EpisodeCase, steps: Collection[int], *, run: str
) -> list[Entry]:
    """Return what the channels say along a demonstration, as events of its episode.

    Memory answers as to a new task: what it knows of this task itself is left out. Novelty is left out too: a
    demonstrator knows where things are, and says nothing of how to look for them.

    Args:
        parts: Of an episode of the demonstration's task.
        demonstration: Whose actions are taken.
        steps: At which the policy is asked.
        run: Id of the run that asks.

    Raises:
        EnvironmentFault: The environment broke (LLMUnavailable: the model did).
    """
    state: EpisodeState = {
        "episode": demonstration.episode,
        "run": run,
        "task_id": demonstration.task_id,
        "seed": parts.stage.seed,
        "actions": [],
    }
    found: list[Entry] = []
    learned = parts.memory.learned if parts.memory is not None else 0
    for step, action in enumerate(demonstration.actions):
        parts.stage.sync(state["actions"])
        if step in steps:
            recalled = recollect(parts, state)
            at = situation_of(parts, state, recalled, await think(parts, state, recalled))
            if (said := await _asked(parts, at, at.written(action))) is not None:
                event = ChannelsWeighed(
                    step=step,
                    env=demonstration.env,
                    family=demonstration.family,
                    llm=parts.llm_name,
                    learned=learned,
                    **said,
                )
                name = f"weighed-{step}-{learned}-{content_id(parts.llm_name)}"
                key = f"{demonstration.episode}/{name}"
                found.append(Entry(key, run, demonstration.episode, event, origin="demonstration"))
        parts.stage.play(action)
        state["actions"].append(action)
        if parts.stage.ended:
            break
    return found


async def _asked(parts: EpisodeParts, at: Situation, right: str) -> dict[str, Any] | None:
    """Return what an event says of a right action, had the policy been to choose."""
    try:
        made = await parts.policy.weighted(at, whole=True)
    except LLMNonsense:  # nobody named anything
        return None
    made.features[:, CHANNELS.index("novelty")] = 0.0
    return _lesson(made, right, 1.0)
