"""Is what the expert does among the options of a decision? Counted along gold trajectories.

Whatever a model would name must be there. Where actions are listed, the options are those that the policy
asks a model about; where any call can be made, those that it made up, and what a model that knows would write.
"""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ....envs.suite import Suite
from ...episode.recollect import recollect, situation_of
from ...episode.state import EpisodeState
from ...llm.thought import SILENT
from ..bench.machine import machine, version
from .competence_run import KnownAgent
from .simulated_llm import simulated

BAR = 0.99


async def _along(agent: KnownAgent, suite: Suite, tasks: Sequence[str]) -> tuple[int, int, int]:
    """Return gold states, those whose action is an option, and those where it is without a model's own word."""
    environment = agent.environment(suite)
    states = there = listed = 0
    for task_id in tasks:
        expert = agent.expert(environment, task_id)
        parts = agent.parts(environment, task_id, memory=None, llm_name=agent.llm.name)
        state: EpisodeState = {
            "episode": "candidates",
            "run": "candidates",
            "task_id": task_id,
            "seed": agent.config.seed,
            "actions": [],
        }
        for action in expert.gold:
            parts.stage.sync(state["actions"])
            at = situation_of(parts, state, recollect(parts, state), SILENT)
            if len(at.actions) != 1:
                states += 1
                made = await parts.policy.weighted(at)
                wanted = at.written(action)
                asked = made.opinion.scores or (
                    {made.opinion.named: 0.0} if made.opinion.named else {}
                )
                there += wanted in asked
                listed += wanted in {at.written(a) for a in at.actions}
            parts.stage.play(action)
            state["actions"].append(action)
            if parts.stage.ended:
                break
    return states, there, listed


def bench_candidates(
    suites: Sequence[Suite], *, tasks: int, seed: int, say: Callable[[str], None]
) -> dict[str, Any]:
    """Count and return the table.

    Args:
        suites: Whose dev tasks are walked along.
        tasks: Of each.
        seed: Of the order of tasks.
        say: Told what is going on.
    """
    rows: list[dict[str, Any]] = []
    for suite in suites:
        with (
            tempfile.TemporaryDirectory() as folder,
            KnownAgent.at_hand(
                Path(folder), simulated("scores-10", 1.0, seed=seed), seed=seed
            ) as agent,
        ):
            ids = suite.task_ids("dev", None, seed, agent.environment(suite))[:tasks]
            states, there, listed = agent.wait(_along(agent, suite, ids))
        say(f"{suite.name}: {there} of {states}")
        rows.append(
            {
                "what": suite.name,
                "n": states,
                "tasks": len(ids),
                "among": round(there / states, 4),
                "listed": round(listed / states, 4),
            }
        )
    worst = min(float(row["among"]) for row in rows)
    return {
        "bench": "candidates",
        "version": version(),
        "machine": machine(),
        "rows": rows,
        "ratio": worst,
        "holds": worst >= BAR,
    }
