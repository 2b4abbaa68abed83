"""A contender: one method on the stream, with a store of its own, asked and told as all others are."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ....envs.base import Environment
from ....memory.credit.channel_weights import KnownDecision
from ....memory.recall.case_memory import CaseMemory
from ...acting.policy import Policy
from ...config import AgentConfig
from ...episode.parts import EpisodeParts
from ...llm.protocol import FrozenLLM
from ...open_agent import OpenAgent
from ...weighing import learn_weights
from ..heldout.memories_of_arms import weigh_memories
from ..heldout.policy_arms import ARMS
from ..placebo.memory_placebo import PlaceboMemory
from ..rivals.rival import Rival
from ..rivals.rule_training import with_rule
from ..rivals.trace import EpisodeTrace
from ..rivals.trivial_rule import TrivialRule
from .task_stream import StreamItem


class Contender:
    """The frozen model alone; the base of the others.

    Args:
        name: Of the arm.
        config: Settings; the store is the contender's own.
        llm: Shared by all contenders; None: this one asks no model.
        environment: Of the stream, opened, shared by all contenders.
        fingerprint: Of the model; empty where none is asked.
    """

    says = "the frozen model alone"

    def __init__(
        self,
        name: str,
        config: AgentConfig,
        llm: FrozenLLM | None,
        environment: Environment,
        fingerprint: str,
    ) -> None:
        self.name = name
        self.environment = environment
        self.fingerprint = fingerprint if llm is not None else ""
        policy = config.policy.model_copy(update={"llm": llm is not None})
        self.agent = OpenAgent(config.model_copy(update={"policy": policy}), llm=llm)

    @property
    def asks(self) -> bool:
        """Whether it asks the model."""
        return self.agent.config.policy.llm

    async def begin(self, run: str) -> None:
        """Learn from the demonstrations that were put into its store; called at every start of the command."""

    async def parts(self, item: StreamItem) -> EpisodeParts:
        """Return the parts of the episode at a task."""
        return self._parts(item)

    async def learn(self, item: StreamItem, trace: EpisodeTrace) -> None:
        """Learn from an episode of `parts` that ended with a known outcome."""

    def state(self) -> dict[str, Any]:
        """Return what it keeps outside its store, as plain JSON."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Be as when `state` returned this."""

    def close(self) -> None:
        """Close its store."""
        self.agent.close()

    def _parts(
        self,
        item: StreamItem,
        *,
        memory: CaseMemory | None = None,
        learn: bool = False,
        brief: str = "",
    ) -> EpisodeParts:
        return self.agent.parts(
            self.environment,
            item.task_id,
            memory=memory,
            policy=self.agent.config.policy,
            learn=learn,
            llm_name=self.fingerprint,
            instructions=brief,
        )


class LichenContender(Contender):
    """Lichen's memory, with the model or without, or its placebo.

    With a model it acts as it would for a user: nothing is sampled. Without one it explores where it learns,
    as `lichen run` does.
    """

    says = "Lichen"

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.says = ARMS[self.name].says
        self._known: list[KnownDecision] = []

    async def begin(self, run: str) -> None:
        """Learn how far the model and this memory can be trusted."""
        memory = self._memory(0)
        options: dict[str, Any] = {"llm": self.fingerprint, "run": run}
        if isinstance(memory, PlaceboMemory):
            await weigh_memories(self.agent, self.environment, {("", 0): memory}, **options)
            self._known = memory.known
        else:
            await learn_weights(self.agent, self.environment, memory, **options)

    async def parts(self, item: StreamItem) -> EpisodeParts:
        """Return the parts; the episode becomes a case."""
        made = self._parts(item, memory=self._memory(item.number), learn=item.learns)
        if self.asks or not item.learns:
            policy = made.policy
            return replace(made, policy=Policy(policy.config, policy.voice, policy.weights))
        return made

    async def learn(self, item: StreamItem, trace: EpisodeTrace) -> None:
        """Take the new case in."""
        await self.agent.store.finish()

    def _memory(self, number: int) -> CaseMemory:
        config = self.agent.config
        if not ARMS[self.name].placebo:
            return CaseMemory(self.agent.store, config.retriever)
        rng = np.random.default_rng([config.seed, number])
        made = PlaceboMemory(
            self.agent.store, config.retriever, first=self.agent.store.ranks, rng=rng
        )
        made.known = self._known
        return made


class RuleContender(Contender):
    """A trivial rule, which asks no model and looks at no state."""

    def __init__(self, rule: type[TrivialRule], *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._rule = rule(learns=True)
        self._acting = rule()
        self.says = ARMS[self.name].says

    async def parts(self, item: StreamItem) -> EpisodeParts:
        """Return the parts; where nothing is learned it does not explore."""
        self._acting.restore(self._rule.state())
        rule = self._rule if item.learns else self._acting
        return with_rule(self.agent, self.environment, item.task_id, rule)

    async def learn(self, item: StreamItem, trace: EpisodeTrace) -> None:
        """Tell the rule."""
        if item.learns:
            steps = trace.steps
            self._rule.learned([s.action for s in steps], [s.reward for s in steps], trace.score)

    def state(self) -> dict[str, Any]:
        """Return what the rule knows."""
        return self._rule.state()

    def restore(self, state: dict[str, Any]) -> None:
        """Give it back."""
        self._rule.restore(state)


class RivalContender(Contender):
    """A rival: the model, and the text that the rival gives it."""

    def __init__(self, rival: Rival, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.rival, self.says = rival, rival.says

    async def parts(self, item: StreamItem) -> EpisodeParts:
        """Return the parts with the rival's brief."""
        task = self.environment.task(item.task_id)
        seen = self.environment.reset(item.task_id, seed=self.agent.config.seed)
        return self._parts(item, brief=await self.rival.brief(task, seen.goal))

    async def learn(self, item: StreamItem, trace: EpisodeTrace) -> None:
        """Tell the rival."""
        if item.learns:
            await self.rival.learn(trace)

    def state(self) -> dict[str, Any]:
        """Return what the rival keeps."""
        return {"kept": self.rival.kept}

    def restore(self, state: dict[str, Any]) -> None:
        """Give it back."""
        self.rival.kept = list(state["kept"])


def store_of(folder: Path, name: str) -> Path:
    """Return the folder of a contender's store."""
    return folder / "arms" / name
