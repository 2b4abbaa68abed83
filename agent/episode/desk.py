"""The desk of one episode: the live things that a checkpoint cannot hold.

Environment, working memory, the last hits: rebuilt from the state's actions when a run resumes. The graph's
nodes find it in their runtime context.
"""

import hashlib
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ...envs.base import Environment
from ...envs.errors import EnvironmentFault
from ...envs.tools import Call
from ...envs.types import Observation, Transition
from ...memory.credit.credit import Credit
from ...memory.credit.exposure import Exposer, HarmGate
from ...memory.ledger.ledger import Entry
from ...memory.ledger.records import Hits, SubtaskCase
from ...memory.likeness.analogy import words
from ...memory.likeness.states import state_of
from ...memory.recall.case_memory import CaseMemory
from ...memory.tools.candidates import candidates
from ...memory.tools.tool_memory import ToolMemory
from ..acting.free_calls import Caller
from ..acting.policy import Policy
from ..acting.working_memory import WorkingMemory
from ..llm.thought import SILENT, Assistant, Thought
from ..planning.critic import Critic
from ..planning.planner import Planner
from ..skill_actions.skill_set import NOTHING, Called, Offer, Offered, SkillSet
from .state import EpisodeState

NO_HITS = Hits(hits=(), considered=0, abstained=True)


@dataclass
class Desk:
    """What the nodes of one episode work with."""

    environment: Environment
    memory: CaseMemory | None
    policy: Policy
    planner: Planner
    critic: Critic | None
    assistant: Assistant
    append: Callable[[list[Entry]], int]
    """Writes events to the ledger."""
    learn: bool
    """Whether the episode becomes a case when it ends."""
    llm_name: str = ""
    subtask_steps: int = 12
    """Steps after which a subtask counts as stuck."""
    max_replans: int = 3
    hits: Hits = NO_HITS
    thought: Thought = SILENT
    holdout: float = 0.0
    """Share of the remembered episodes that is held out; above 0 only where credit is to be learned."""
    remembered: int = -1
    """The step that `hits` belong to."""
    thought_at: int = -1
    """The step that `thought` belongs to."""
    working: WorkingMemory = field(default_factory=WorkingMemory)
    observations: list[Observation] = field(default_factory=list)
    ended: bool = False
    explores: bool | None = None
    """Whether items below the gate are tried within the budget; None: where the episode is learned from."""
    skills: SkillSet | None = None
    """What is offered besides the environment's actions; None: nothing."""
    caller: Caller | None = None
    """Writes calls freely; None: the policy chooses among candidate calls."""
    call: Call | None = None
    """The last action as a call."""
    latency_ms: float = 0.0
    """What the environment took for it."""
    _of: EpisodeState = field(init=False)
    """The episode that this desk is at, from `sync` on."""
    _offers: tuple[tuple[int, int], Offered] | None = None
    """Step and failed calls that it is of, and what was offered."""
    _worked: dict[str, SubtaskCase | None] = field(default_factory=dict)
    _played: list[str] = field(default_factory=list)

    def sync(self, state: EpisodeState) -> Observation:
        """Bring the environment to where the state is, and return what is seen there.

        Raises:
            EnvironmentFault: The environment broke, or replayed the same actions differently.
        """
        actions = state["actions"]
        self._of = state
        if not self.observations or self._played != actions:
            first = self.environment.reset(state["task_id"], seed=state["seed"])
            self.observations, self._played = [], []
            first = self._offered(first)
            self.observations = [first]
            self.working = WorkingMemory(calls=self.calls)
            self.working.begin(first)
            for action in actions:
                self.play(action)
            known = state.get("digest", "")
            if known and known != digest(self.seen):
                raise EnvironmentFault(
                    f"{state['task_id']} did not come to the same place when its "
                    f"{len(actions)} actions were replayed"
                )
        return self.seen

    def remember(self, state: EpisodeState, *, again: bool = False) -> Hits:
        """Return the hits of the state's step, read unless they are there (`again`: read anyhow).

        A run that resumes between two nodes has none: it must not decide without memory.
        """
        step = len(state["actions"])
        if self.remembered == step and not again:
            return self.hits
        seen = self.sync(state)
        self.hits = NO_HITS
        if self.memory is not None:
            found = self.memory.read(
                state_of(seen, state["actions"]),
                env=seen.task.env,
                family=seen.task.family,
                admissible=seen.admissible,
                task_id=state["task_id"],
            )
            if not self.alone(step):
                self.hits = self.exposer(state).expose(found)
            else:
                alone = [hit.model_copy(update={"propensity": 0.0}) for hit in found.hits]
                self.hits = found.model_copy(
                    update={"hits": (), "held": tuple(alone), "abstained": True}
                )
        self.remembered, self.thought_at = step, -1
        return self.hits

    def alone(self, step: int) -> bool:
        """Return whether the model is to try without memory at this step."""
        return self.memory is not None and step < self.memory.config.try_first

    def exposer(self, state: EpisodeState, credit: Credit | None = None) -> Exposer:
        """Return what decides which items this episode is shown: remembered episodes, or those of a credit."""
        if credit is None:
            assert self.memory is not None
            credit = self.memory.credit
        return Exposer(
            credit,
            self.memory.config.harm if self.memory is not None else HarmGate(),
            self.holdout,
            seed=state["seed"],
            task_id=state["task_id"],
            learn=self.learn if self.explores is None else self.explores,
        )

    async def think(self, state: EpisodeState) -> Thought:
        """Return the assistant's thought at the state's step, thought of unless it is there."""
        hits = self.remember(state)
        if self.caller is not None and self.calls and not self.assistant.chat:
            return SILENT  # calls are written in conversations
        if self.thought_at != self.remembered:
            seen = self.sync(state)
            known = state_of(seen, state["actions"])
            self.thought = await self.assistant.think(known, hits, family=seen.task.family)
            self.thought_at = self.remembered
        return self.thought

    @property
    def seen(self) -> Observation:
        """The last observation."""
        return self.observations[-1]

    def play(self, action: str) -> Transition:
        """Take one action in the environment and note it."""
        before = self.seen
        self.call = self.environment.call(action)
        start = time.perf_counter()
        done = self.environment.step(action)
        self.latency_ms = (time.perf_counter() - start) * 1000
        self.working.note(before, action, done.observation)
        done = done.model_copy(update={"observation": self._offered(done.observation)})
        self.observations.append(done.observation)
        self._played.append(action)
        self.ended = done.terminated or done.truncated
        return done

    def offers(self, state: EpisodeState) -> Mapping[str, Offer]:
        """Return the calls of skills that the policy may choose at the state's step, by how they read."""
        return self.considered(state).calls

    def considered(self, state: EpisodeState) -> Offered:
        """Return what is offered at the state's step, what is held out, how many skills were considered."""
        idle = state.get("idle", [])
        at = (len(state["actions"]), len(idle))
        if self._offers is None or self._offers[0] != at:
            found = NOTHING
            if self.skills is not None and len(idle) <= self.skills.config.failures:
                seen = self.sync(state)
                exposer = self.exposer(state, self.skills.credit)
                found = self.skills.offers(
                    self.environment, seen, self.llm_name, without=idle, shows=exposer.decide
                )
            self._offers = (at, found)
        return self._offers[1]

    def use(self, offer: Offer) -> tuple[Called, list[tuple[Observation, str, Transition]]]:
        """Call a skill; return what came of it and its steps, each with what was seen before it.

        Raises:
            EnvironmentFault: The environment broke.
        """
        assert self.skills is not None
        called = self.skills.call(offer, self.environment, seed=self._of["seed"])
        steps = []
        for action, done in called.taken:
            before = self.seen
            self.working.note(before, action, done.observation)
            self.observations.append(done.observation)
            self._played.append(action)
            self.ended = done.terminated or done.truncated
            steps.append((before, action, done))
        if called.result.outcome == "unknown" and called.result.broke:
            raise EnvironmentFault(called.result.reason)
        return called, steps

    @property
    def calls(self) -> bool:
        """Whether actions are calls of tools."""
        return self.environment.action_mode == "tool_call"

    @property
    def tools(self) -> ToolMemory | None:
        """Tool memory, where there is a memory, actions are calls, and the model does not try alone."""
        return None if self.alone(len(self._played)) else self._tools

    @cached_property
    def _tools(self) -> ToolMemory | None:
        if self.memory is None or not self.calls or not self.memory.config.tools:
            return None
        exposer = self.exposer(self._of)
        return ToolMemory(
            self.memory,
            self.environment.name,
            task_id=self._of["task_id"],
            shows=lambda episode: exposer.decide(episode)[0],
        )

    def _offered(self, seen: Observation) -> Observation:
        """Return an observation with candidate calls to choose from, where calls are not written freely."""
        if not self.calls or seen.admissible is not None or self.caller is not None:
            return seen
        answers = [*(old.text for old in self.observations), seen.text]
        found = candidates(self.environment.tools(), seen.goal, answers, self.tools)
        return seen.model_copy(update={"admissible": tuple(found)})

    def notes(self, seen: Observation) -> dict[str, str]:
        """Return the known failures of the candidate calls, by action."""
        if self.tools is None:
            return {}
        found = {}
        for action in seen.admissible or ():
            note = self.tools.note(self.environment.call(action), seen.goal, seen.text)
            if note:
                found[action] = note
        return found

    def worked(self, text: str, state: EpisodeState) -> SubtaskCase | None:
        """Return the remembered subtask most like this one that was done, if this episode is shown it."""
        if self.memory is None or self.alone(len(state["actions"])):
            return None
        if text not in self._worked:
            exposer = self.exposer(state)
            near = self.memory.subtasks(
                text,
                env=self.environment.name,
                k=self.memory.config.k,
                task_id=state["task_id"],
                seen=self.seen.text,
            )
            good = [case for case, _ in near if case.outcome == "success"]
            self._worked[text] = next((c for c in good if exposer.decide(c.episode)[0]), None)
        return self._worked[text]

    def history(self) -> list[tuple[str, str]]:
        """Return (action, answer) pairs so far, oldest first."""
        answers = [seen.text for seen in self.observations[1:]]
        return list(zip(self._played, answers, strict=True))


def digest(seen: Observation) -> str:
    """Return a hash of what an observation says, whatever the order in which it says it.

    ScienceWorld lists the same things in another order at every reset.
    """
    said = sorted(words(f"{seen.text} {seen.look} {seen.inventory}"))
    return hashlib.sha256(" ".join(said).encode()).hexdigest()[:16]


def step_rng(seed: int, task_id: str, step: int) -> np.random.Generator:
    """Return the generator of one decision: the same after a resume, and in every arm."""
    return np.random.default_rng([seed, zlib.crc32(task_id.encode()), step])
