"""One episode of a held-out evaluation, played and measured."""

import time

from ...episode.graph import Graph
from ...episode.parts import EpisodeParts
from ...episode.run_episode import run_episode
from ...llm.prices import cost_of
from ...llm.protocol import Usage
from ...open_agent import OpenAgent
from ...runs import next_attempt
from .episode_row import EpisodeRow


async def play_row(
    agent: OpenAgent,
    graph: Graph,
    parts: EpisodeParts,
    episode: str,
    run: str,
    cell: tuple[str, int],
) -> EpisodeRow:
    """Run one cell (arm and checkpoint) at the parts' task and return its row."""
    asks = parts.policy.voice is not None
    used = agent.llm.usage.copy() if asks else Usage()
    clock = time.monotonic()
    attempt = next_attempt(agent.store.ledger, episode)
    result = attempt.result or await run_episode(graph, parts, episode=attempt.episode, run=run)
    spent = agent.llm.usage.minus(used) if asks else Usage()
    arm, point = cell
    return EpisodeRow(
        arm=arm,
        checkpoint=point,
        task_id=result.task_id,
        family=result.family,
        outcome=result.outcome,
        score=result.score,
        steps=result.steps,
        tokens_in=spent.tokens_in,
        tokens_out=spent.tokens_out,
        cached=spent.cached,
        cost=cost_of(spent, agent.config.model, agent.config.prices),
        seconds=round(time.monotonic() - clock, 3),
        kl=result.kl,
        llm=parts.llm_name if asks else "",
        reason=result.reason,
    )
