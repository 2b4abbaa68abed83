"""An opened agent, as far as asking needs it."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from ...envs.base import Environment
from ...envs.suite import Suite
from ...memory.ledger.events import RunStarted
from ...memory.recall.retriever import RetrieverConfig
from ...memory.store.store import Store
from ..acting.policy import PolicyConfig
from ..episode.graph import Graph
from ..episode.parts import EpisodeParts
from ..llm.prices import Price
from ..skill_actions.open_library import AgentSkills
from .budget import AskBudget


class AskSettings(Protocol):
    """The settings that are looked at."""

    model: str
    prices: dict[str, Price]
    budget: AskBudget
    retriever: RetrieverConfig
    policy: PolicyConfig


class Lender(Protocol):
    """Lends environments to episodes."""

    def lent(
        self,
        suite: Suite | None,
        task_id: str = "",
        *,
        max_steps: int | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> AbstractAsyncContextManager[Environment]:
        """Lend one."""


class Opened(Protocol):
    """What an opened agent has."""

    @property
    def config(self) -> AskSettings:
        """Its settings."""

    @property
    def environments(self) -> Lender:
        """Its environments."""

    store: Store
    skills: AgentSkills

    def add(self, environment: Environment) -> None:
        """Take an environment."""

    def parts(self, *args: Any, **kwargs: Any) -> EpisodeParts:
        """Return the parts of one episode."""

    def graph(self) -> AbstractAsyncContextManager[Graph]:
        """Open the graph."""

    async def fingerprint(self, asked: bool) -> str:
        """Return the model's fingerprint."""

    def started(
        self, command: str, suite: str, fingerprint: str, more: dict[str, Any]
    ) -> RunStarted:
        """Return the event that begins a run."""

    def opened(self, run: str, started: RunStarted) -> None:
        """Write that a run began, once."""
