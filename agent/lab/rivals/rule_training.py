"""Training of a trivial arm: over the suite's own stream, apart from the agent's memory.

Nothing of it is written to the ledger: an arm's training episodes must not become the memory's cases.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ....envs.base import Environment
from ....envs.suite import Suite
from ...episode.graph import build
from ...episode.parts import EpisodeParts
from ...episode.run_episode import run_episode
from ...open_agent import OpenAgent
from .action_table import ActionTable
from .least_used import LeastUsed
from .random_rule import RandomRule
from .trivial_rule import ALONE, TrivialRule

RULES: Mapping[str, type[TrivialRule]] = {
    rule.name: rule for rule in (RandomRule, ActionTable, LeastUsed)
}


def with_rule(
    agent: OpenAgent, environment: Environment, task_id: str, rule: TrivialRule
) -> EpisodeParts:
    """Return the parts of an episode in which a rule acts, without memory."""
    return replace(
        agent.parts(environment, task_id, memory=None, policy=ALONE, seed=agent.config.seed),
        policy=rule,
    )


async def trained_rules(
    agent: OpenAgent, suite: Suite, wanted: Sequence[tuple[str, int]], seed: int
) -> Mapping[tuple[str, int], TrivialRule]:
    """Return the wanted rules, frozen: each by its name and after how many training episodes.

    Args:
        agent: Whose environments are used.
        suite: The stream goes round its training tasks, as memory's does.
        wanted: Names and numbers of episodes.
        seed: Order of the tasks.
    """
    if not wanted:
        return {}
    environment = agent.environment(suite)
    ids = suite.task_ids("train", None, seed, environment)
    ids = [ids[i % len(ids)] for i in range(max(point for _, point in wanted))]
    states = {
        name: await train_rule(agent, environment, name, ids)
        for name in dict.fromkeys(name for name, _ in wanted)
    }
    found = {}
    for name, point in wanted:
        found[name, point] = rule = RULES[name]()
        rule.restore(states[name][point])
    return found


async def train_rule(
    agent: OpenAgent, environment: Environment, name: str, task_ids: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the state of a rule before each training episode and after the last one.

    Args:
        agent: Whose settings and environments are used.
        environment: Of the tasks.
        name: Of the rule.
        task_ids: n training tasks, in this order.

    Raises:
        EnvironmentFault: The environment broke.
    """
    rule = RULES[name](learns=True)
    graph, states = build(None), [rule.state()]
    for number, task_id in enumerate(task_ids):
        parts = replace(with_rule(agent, environment, task_id, rule), append=len)
        done = await run_episode(graph, parts, episode=f"{name}-{number:04d}", run=name)
        scores = [seen.score for seen in parts.stage.observations]
        rewards = [after - before for before, after in zip(scores, scores[1:], strict=False)]
        rule.learned(done.actions, rewards[: len(done.actions)], done.score)
        states.append(rule.state())
    return states
