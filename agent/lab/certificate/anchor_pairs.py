"""Two agents on the same anchors, one beside the other: what each gave the frozen LLM, and what it said.

Both recall, think and decide as an episode does; a recorder between policy and model keeps what passed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from ....memory.recall.case_memory import CaseMemory
from ...acting.policy import Decision, Policy
from ...episode.parts import EpisodeParts
from ...episode.recollect import recollect, situation_of, think
from ...episode.state import EpisodeState
from ...llm.protocol import FrozenLLM, LogProbs, Message, SteerableLLM, Usage, Vectors, steerable
from ...open_agent import OpenAgent
from ...talking.open_voice import open_voice
from ..heldout.policy_arms import ARMS
from ..kernel.divergence import divergence
from .anchor_tasks import AnchorEnvironment

Side = Callable[[OpenAgent, AnchorEnvironment, str], EpisodeParts]
"""Makes the parts of one of the two agents, at a task."""


class Recorder:
    """Passes everything on to a model and keeps what was chosen among.

    Every choice begins without a key-value cache: bits would differ with what was asked before.
    """

    def __init__(self, llm: FrozenLLM) -> None:
        self._llm = llm
        self.prompts: list[str] = []
        self.scores: list[LogProbs] = []

    @property
    def name(self) -> str:
        """The model's."""
        return self._llm.name

    @property
    def usage(self) -> Usage:
        """The model's."""
        return self._llm.usage

    @property
    def scores_choices(self) -> bool:
        """The model's."""
        return self._llm.scores_choices

    async def choose(
        self, prompt: str, options: Sequence[str], *, soft: Vectors | None = None
    ) -> LogProbs:
        """See `SteerableLLM.choose`; soft thoughts are passed on, where there are any."""
        if isinstance(self._llm, SteerableLLM):
            await self._llm.drop_cache()
        found = (
            await self._llm.choose(prompt, options)
            if soft is None
            else await steerable(self._llm).choose(prompt, options, soft=soft)
        )
        self.prompts.append(prompt if soft is None else f"{prompt}\n(and soft thoughts)")
        self.scores.append(found)
        return found

    async def complete(self, prompt: str, **options: Any) -> str:
        """See `FrozenLLM.complete`."""
        return await self._llm.complete(prompt, **options)

    async def chat(self, messages: Sequence[Message], **options: Any) -> Any:
        """See `FrozenLLM.chat`."""
        return await self._llm.chat(messages, **options)

    async def fingerprint(self) -> str:
        """See `FrozenLLM.fingerprint`."""
        return await self._llm.fingerprint()

    async def close(self) -> None:
        """The model is another's: nothing is closed."""

    async def in_worker(self, call: Callable[[Any, Any], Any]) -> Any:
        """See `SteerableLLM.in_worker`."""
        return await steerable(self._llm).in_worker(call)

    async def logits(self, prompt: str, continuation: str) -> Any:
        """See `SteerableLLM.logits`."""
        return await steerable(self._llm).logits(prompt, continuation)

    async def drop_cache(self) -> None:
        """See `SteerableLLM.drop_cache`."""
        await steerable(self._llm).drop_cache()


@dataclass
class Anchored:
    """One anchor, as the first agent took it and as the second did."""

    task_id: str
    retrieved: bool
    """Whether the first agent's memory answered."""
    decisions: tuple[Decision, Decision]
    prompts: tuple[list[str], list[str]]
    scores: tuple[list[LogProbs], list[LogProbs]]
    logits: tuple[Any, Any] | None = field(default=None, repr=False)
    """Over the anchor's continuation, float32, shape (T, V) each; None where no model was asked alike."""

    @property
    def moved(self) -> bool:
        """Whether the two decided differently, in action or in its probability."""
        a, b = self.decisions
        return (a.action, a.probability) != (b.action, b.probability)

    @property
    def scores_equal(self) -> bool:
        """Whether the model's scores are equal, bit for bit."""
        return len(self.scores[0]) == len(self.scores[1]) and all(
            np.array_equal(a, b) for a, b in zip(*self.scores, strict=True)
        )

    @property
    def logits_equal(self) -> bool | None:
        """Whether the logits are equal, bit for bit; None where they are not to be had."""
        import torch

        return None if self.logits is None else torch.equal(*self.logits)

    @property
    def same(self) -> bool:
        """Whether nothing differs, and nothing was retrieved."""
        equal = self.prompts[0] == self.prompts[1] and self.scores_equal and not self.moved
        return equal and not self.retrieved and self.logits_equal is not False


def with_memory(memory: CaseMemory) -> Side:
    """Return the side of the agent with its memory, its hints, its policy."""

    def parts(agent: OpenAgent, environment: AnchorEnvironment, task_id: str) -> EpisodeParts:
        return agent.parts(environment, task_id, memory=memory)

    return parts


def alone(agent: OpenAgent, environment: AnchorEnvironment, task_id: str) -> EpisodeParts:
    """Return the parts of the frozen LLM alone: the evaluation's arm `none`, and no assistant."""
    policy = ARMS["none"].policy(agent.config.policy)
    return agent.parts(environment, task_id, memory=None, policy=policy, hints=False)


async def compared(agent: OpenAgent, env: str, first: Side, second: Side) -> list[Anchored]:
    """Return every anchor as both sides took it.

    Args:
        agent: With the run's store and settings.
        env: The environment that anchors pose as tasks of: memory reads its cases.
        first: The agent that is certified.
        second: What it is compared with.
    """
    environment, found = AnchorEnvironment(env), []
    for task in environment.tasks("test"):
        took = [await _decide(agent, side(agent, environment, task.id)) for side in (first, second)]
        (one, mine, hits), (other, theirs, _) = took
        known = any(hits)
        pair = Anchored(
            task_id=task.id,
            retrieved=known,
            decisions=(one, other),
            prompts=(mine.prompts, theirs.prompts),
            scores=(mine.scores, theirs.scores),
        )
        if isinstance(agent.llm, SteerableLLM) and mine.prompts and theirs.prompts:
            said = f" {environment.reference(task.id)}\n"
            pair.logits = (
                await agent.llm.logits(mine.prompts[0], said),
                await agent.llm.logits(theirs.prompts[0], said),
            )
        found.append(pair)
    return found


async def _decide(agent: OpenAgent, parts: EpisodeParts) -> tuple[Decision, Recorder, list[bool]]:
    """Return the first decision on an anchor, what passed, and which of the reads answered."""
    recorder, stage = Recorder(agent.llm), parts.stage
    used = parts.policy
    voice = open_voice(cast(FrozenLLM, recorder), used.config) if used.voice is not None else None
    policy = Policy(used.config, voice, used.weights)
    state: EpisodeState = {
        "episode": "certificate",
        "run": "certificate",
        "task_id": stage.task_id,
        "seed": stage.seed,
        "actions": [],
    }
    recalled = recollect(parts, state)
    reads = [bool(recalled.hits.hits or recalled.hits.held)]
    if parts.memory is not None and agent.config.planner == "plan":
        env, k, goal = stage.environment.name, parts.memory.config.k, recalled.seen.goal
        own = stage.task_id
        reads.append(bool(parts.memory.episodes(goal, env=env, k=k, task_id=own)))
        reads.append(bool(parts.memory.subtasks(goal, env=env, k=k, task_id=own)))
    thought = await think(parts, state, recalled)
    decision = await policy.decide(situation_of(parts, state, recalled, thought))
    return decision, recorder, reads


def drift(pair: Anchored) -> float | None:
    """Return KL(first || second) over the vocabulary, mean over the continuation's tokens, in nats.

    Exactly 0 for equal logits; None where there are none.
    """
    if pair.logits is None:
        return None
    import torch

    p, q = (torch.log_softmax(logits.double(), dim=-1) for logits in pair.logits)
    return float(divergence(p, q).mean())
