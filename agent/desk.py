"""The desk of one episode: the live things that a checkpoint cannot hold.

Environment, working memory, the last hits: rebuilt from the state's actions when a run resumes. The graph's
nodes find it in their runtime context.
"""

import hashlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ..envs.base import Environment
from ..envs.errors import EnvironmentFault
from ..envs.types import Observation, Transition
from ..memory.analogy import words
from ..memory.cases import CaseMemory
from ..memory.exposure import hold_out
from ..memory.ledger import Entry
from ..memory.states import state_of
from ..memory.types import Hits
from .assistant import Assistant
from .critic import Critic
from .planner import Planner
from .policy import Policy
from .state import EpisodeState
from .working import WorkingMemory

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
    hint: str = ""
    holdout: float = 0.0
    """Share of the remembered episodes that is held out; above 0 only where credit is to be learned."""
    remembered: int = -1
    """The step that `hits` belong to."""
    thought: int = -1
    """The step that `hint` belongs to."""
    working: WorkingMemory = field(default_factory=WorkingMemory)
    observations: list[Observation] = field(default_factory=list)
    ended: bool = False
    _played: list[str] = field(default_factory=list)

    def sync(self, state: EpisodeState) -> Observation:
        """Bring the environment to where the state is, and return what is seen there.

        Raises:
            EnvironmentFault: The environment broke, or replayed the same actions differently.
        """
        actions = state["actions"]
        if not self.observations or self._played != actions:
            first = self.environment.reset(state["task_id"], seed=state["seed"])
            self.observations, self._played = [first], []
            self.working = WorkingMemory()
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
            )
            self.hits = hold_out(
                found,
                self.holdout,
                self.memory.store.credit,
                seed=state["seed"],
                task_id=state["task_id"],
            )
        self.remembered, self.thought = step, -1
        return self.hits

    async def think(self, state: EpisodeState) -> str:
        """Return the assistant's hint for the state's step, thought of unless it is there."""
        hits = self.remember(state)
        if self.thought != self.remembered:
            known = state_of(self.sync(state), state["actions"])
            self.hint = await self.assistant.think(known, hits)
            self.thought = self.remembered
        return self.hint

    @property
    def seen(self) -> Observation:
        """The last observation."""
        return self.observations[-1]

    def play(self, action: str) -> Transition:
        """Take one action in the environment and note it."""
        before = self.seen
        done = self.environment.step(action)
        self.working.note(before, action, done.observation)
        self.observations.append(done.observation)
        self._played.append(action)
        self.ended = done.terminated or done.truncated
        return done

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
