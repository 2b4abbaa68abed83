"""The parts that the nodes of one episode work with: made before it begins, and never changed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from ...memory.credit.credit import Credit
from ...memory.credit.exposure import Exposer, HarmGate
from ...memory.ledger.ledger import Entry, LedgerRow
from ...memory.ledger.namespaces import EVERYONE
from ...memory.recall.case_memory import CaseMemory
from ...memory.tools.call_repair import CallRepair
from ...memory.tools.known_calls import KnownCalls
from ...memory.tools.tool_memory import ToolMemory
from ..acting.policy import Policy
from ..planning.critic import Critic
from ..planning.planner import Planner
from ..skill_actions.skill_set import SkillSet
from .assistant import Assistant
from .limits import NO_LIMITS, EpisodeLimits
from .stage import Stage


@dataclass(frozen=True)
class EpisodeParts:
    """What the nodes work with."""

    stage: Stage
    """The environment at the episode's task."""
    policy: Policy
    append: Callable[[list[Entry]], int]
    """Writes events to the ledger."""
    assistant: Assistant
    events_of: Callable[[str], Iterable[LedgerRow]] = lambda episode: ()
    """Reads the events of an episode."""
    memory: CaseMemory | None = None
    tools: ToolMemory | None = None
    """What calls came to; None without a memory, or where actions are no calls."""
    repair: CallRepair | None = None
    """Mends calls that are known to fail; None where there is no tool memory."""
    planner: Planner | None = None
    """Decomposes the task; None: the policy acts by itself (the style `reactive`)."""
    critic: Critic | None = None
    """Judges subtasks, and tasks that no environment verifies."""
    skills: SkillSet | None = None
    """Offered besides the environment's actions; None: nothing."""
    learn: bool = False
    """Whether the episode becomes a case when it ends."""
    llm_name: str = ""
    """Fingerprint of the model, for the ledger."""
    holdout: float = 0.0
    """Share of the remembered episodes that is held out; above 0 only where credit is to be learned."""
    explores: bool = False
    """Whether items below the do-no-harm gate are tried within the budget."""
    namespace: str = EVERYONE
    """Whose the episode is."""
    thread: str = ""
    """The conversation that it is a turn of."""
    bullets: tuple[str, ...] = ()
    """Ids of the playbook's bullets that the model reads, for the ledger."""
    limits: EpisodeLimits = NO_LIMITS
    """What it may cost."""

    def with_tools(self, calls: KnownCalls | None = None) -> "EpisodeParts":
        """Return the parts with tool memory over what their memory shows this episode, where it has any use.

        Args:
            calls: Of the agent's store, kept from episode to episode.
        """
        memory = self.memory
        if memory is None or not self.stage.calls or not memory.config.tools:
            return self
        exposer = self.exposer(memory.credit)
        tools = ToolMemory(
            memory,
            self.stage.environment.name,
            task_id=self.stage.task_id,
            shows=lambda episode: exposer.decide(episode)[0],
            calls=calls if calls is not None and calls.store is memory.store else None,
        )
        return replace(self, tools=tools, repair=CallRepair(tools))

    def exposer(self, credit: Credit) -> Exposer:
        """Return what decides which items of a credit this episode is shown, and with which probability."""
        gate = self.memory.config.harm if self.memory is not None else HarmGate()
        return Exposer(
            credit,
            gate,
            self.holdout,
            seed=self.stage.seed,
            task_id=self.stage.task_id,
            learn=self.explores,
            kind=self.stage.environment.task(self.stage.task_id).family,
        )
