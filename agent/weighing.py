"""How far an agent trusts its model and its memory: the weights of the channels, and their evidence."""

from collections.abc import AsyncIterator, Collection, Iterator
from typing import Protocol

import numpy as np

from ..envs.base import Environment
from ..envs.errors import UnknownName
from ..envs.types import Task
from ..memory.credit.channel_weights import ChannelWeights
from ..memory.kinds.channel_module import ChannelModule
from ..memory.ledger.ledger import Entry
from ..memory.ledger.records import EpisodeCase
from ..memory.recall.case_memory import CaseMemory
from ..memory.store.store import Store
from .acting.policy import PolicyConfig
from .acting.priors import NO_MODEL, prior_of
from .config import AgentConfig
from .episode.parts import EpisodeParts
from .episode.weighing import weigh_along
from .llm.protocol import FrozenLLM


class Acting(Protocol):
    """An opened agent, as far as it is needed here."""

    config: AgentConfig
    store: Store

    @property
    def llm(self) -> FrozenLLM:
        """The frozen model."""

    def parts(
        self,
        environment: Environment,
        task_id: str,
        *,
        memory: CaseMemory | None,
        policy: PolicyConfig | None,
        llm_name: str,
    ) -> EpisodeParts:
        """Return the parts of one episode."""


DECISIONS = 32
"""Known decisions that a model is asked about, spread over demonstrations."""
EACH = 6
"""At most so many of one demonstration."""


def weights_at(
    agent: Acting, task: Task, memory: CaseMemory | None, llm: str | None
) -> ChannelWeights:
    """Return how much each channel counts at a task.

    Args:
        agent: Whose model acts.
        task: What is done.
        memory: Whose evidence counts; None: there is none.
        llm: Fingerprint of the model that is asked, empty where nobody took it; None: none is asked.
    """
    prior = NO_MODEL if llm is None else prior_of(agent.llm.name)
    if memory is None or llm == "":
        return prior.mean
    return memory.weights(prior, env=task.env, family=task.family, llm=llm or "")


async def learn_weights(
    agent: Acting, environment: Environment, memory: CaseMemory, *, llm: str, run: str
) -> None:
    """Write to the ledger what the channels say along demonstrations, as each is done (see `weighed`)."""
    known = agent.store.module(ChannelModule)
    done = known.weighed(env=environment.name, llm=llm, learned=memory.learned)
    async for said in weighed(agent, environment, memory, llm=llm, run=run, done=done):
        agent.store.append(said)
    agent.store.absorb()


async def weighed(
    agent: Acting,
    environment: Environment,
    memory: CaseMemory,
    *,
    llm: str,
    run: str,
    done: Collection[str],
) -> AsyncIterator[list[Entry]]:
    """Yield what the channels say along each of some demonstrations that memory holds, as events to append.

    Along each of them memory answers as to a new task.

    Args:
        agent: Whose model is asked.
        environment: Of the demonstrations.
        memory: Seen by the policy.
        llm: The model's fingerprint; empty: only memory is asked.
        run: Id of the run that asks.
        done: Demonstrations that are not asked about again, by episode.

    Raises:
        EnvironmentFault: The environment broke (LLMUnavailable: the model did).
    """
    rng = np.random.default_rng(agent.config.seed)
    for case, steps in _chosen(environment, memory, rng):
        if case.episode in done:
            continue
        parts = agent.parts(
            environment,
            case.task_id,
            memory=memory.elsewhere(),
            policy=agent.config.policy.model_copy(
                update={"llm": agent.config.policy.llm and bool(llm)}
            ),
            llm_name=llm,
        )
        yield await weigh_along(parts, case, steps, run=run)


def _chosen(
    environment: Environment, memory: CaseMemory, rng: np.random.Generator
) -> Iterator[tuple[EpisodeCase, set[int]]]:
    """Yield demonstrations with the steps to ask at: families in turn, steps evenly spread."""
    by_family: dict[str, list[EpisodeCase]] = {}
    for case in memory.wholes(environment.name):
        if case.source == "demonstration" and case.outcome == "success" and _has(environment, case):
            by_family.setdefault(case.family, []).append(case)
    held = [
        [cases[int(i)] for i in rng.permutation(len(cases))]
        for _, cases in sorted(by_family.items())
    ]
    left = DECISIONS
    for turn in range(max(map(len, held), default=0)):
        for cases in held:
            if turn < len(cases) and left > 0:
                n = len(cases[turn].actions)
                count = min(EACH, n, left)
                left -= count
                yield cases[turn], {int(i) for i in np.linspace(0, n - 1, count)}


def _has(environment: Environment, case: EpisodeCase) -> bool:
    try:
        environment.task(case.task_id)
    except UnknownName:
        return False
    return True
