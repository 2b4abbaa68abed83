"""What each arm sees at each checkpoint, and how far it can be trusted."""

from collections.abc import Mapping, Sequence

import numpy as np

from ....envs.base import Environment
from ....memory.credit.channel_weights import KnownDecision
from ....memory.ledger.events import ChannelsWeighed
from ....memory.ledger.ledger import Entry
from ....memory.recall.case_memory import CaseMemory
from ....memory.recall.retriever import RetrieverConfig
from ...open_agent import OpenAgent
from ...weighing import learn_weights, weighed
from ..placebo.memory_placebo import PlaceboMemory
from ..placebo.recent_memory import RecentMemory
from .policy_arms import Arm

Memories = Mapping[tuple[str, int], CaseMemory]
"""By the arm's name and the checkpoint."""


def memories_of(agent: OpenAgent, seed: int, wanted: Sequence[tuple[Arm, int]]) -> Memories:
    """Return the views; arms that differ in the policy alone share one."""
    views: dict[tuple[bool, bool, RetrieverConfig, int], CaseMemory] = {}
    found = {}
    for arm, point in wanted:
        if not arm.memory:
            continue
        config = arm.retriever(agent.config.retriever)
        key = (arm.placebo, arm.recent, config, point)
        if key not in views:
            views[key] = _view(agent, arm, config, point, seed=seed)
        found[arm.name, point] = views[key]
    return found


def _view(
    agent: OpenAgent, arm: Arm, config: RetrieverConfig, point: int, *, seed: int
) -> CaseMemory:
    if arm.placebo:
        rng = np.random.default_rng([seed, point])
        return PlaceboMemory(agent.store, config, first=point, rng=rng)
    kind = RecentMemory if arm.recent else CaseMemory
    return kind(agent.store, config, first=point)


async def weigh_memories(
    agent: OpenAgent, environment: Environment, memories: Memories, *, llm: str, run: str
) -> None:
    """Learn from the demonstrations of each view how far the model and this memory can be trusted."""
    for memory in dict.fromkeys(memories.values()):
        if isinstance(memory, PlaceboMemory):
            await _weigh_placebo(agent, environment, memory, llm=llm, run=run)
        elif not isinstance(memory, RecentMemory):
            await learn_weights(agent, environment, memory, llm=llm, run=run)


async def _weigh_placebo(
    agent: OpenAgent, environment: Environment, memory: PlaceboMemory, *, llm: str, run: str
) -> None:
    """The same for a placebo, whose events stand beside no episode: nothing else learns of them."""
    sign = f"{run}/placebo-{memory.learned}/"
    if not any(row.key.startswith(sign) for row in agent.store.ledger.read()):
        found = await weighed(agent, environment, memory, llm=llm, run=run)
        agent.store.append([Entry(f"{sign}{entry.key}", run, "", entry.event) for entry in found])
    memory.known += [
        KnownDecision(
            episode=row.key.removeprefix(sign).partition("/")[0],
            options=row.event.options,
            taken=row.event.taken,
        )
        for row in agent.store.ledger.read()
        if row.key.startswith(sign) and isinstance(row.event, ChannelsWeighed)
    ]
