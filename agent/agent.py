"""The agent as an application embeds it: ten members, and nothing that has to be put together.

from lichen.agent import Agent
with Agent.from_config(store="my-store") as agent:
    agent.learn("demo", episodes=3)
    print(agent.run("twx/mapreader/test/0").outcome)
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any

from ..envs.base import Environment
from ..envs.suite import Suite
from ..memory.kinds.module import MemoryModule
from ..memory.store.store import Store
from .config import AgentConfig, load_config
from .episode.run_episode import EpisodeResult, OnEvent
from .llm.protocol import FrozenLLM
from .open_agent import OpenAgent
from .runs import LearnReport, Progress


class Agent(AbstractContextManager["Agent"]):
    """An agent that learns only in its store; its language model stays frozen.

    Args:
        config: Settings; see `load_config`.
        llm: A frozen model of the caller's own, which the caller closes; opened from `config.model` at first
            use when None.
        modules: Kinds of memory; those that ship and those that are installed when None.
    """

    def __init__(
        self,
        config: AgentConfig,
        *,
        llm: FrozenLLM | None = None,
        modules: Sequence[type[MemoryModule]] | None = None,
    ) -> None:
        self._open = OpenAgent(config, llm=llm, modules=modules)

    @classmethod
    def from_config(
        cls,
        path: Path | str | None = None,
        *,
        llm: FrozenLLM | None = None,
        modules: Sequence[type[MemoryModule]] | None = None,
        **options: Any,
    ) -> "Agent":
        """Return an agent from a settings file (`lichen.toml` here, if there is one) and options.

        Raises:
            BadFile: The file or an option is wrong (StoreInUse: another process writes to the store).
        """
        return cls(load_config(path, **options), llm=llm, modules=modules)

    @property
    def config(self) -> AgentConfig:
        """The settings."""
        return self._open.config

    @property
    def store(self) -> Store:
        """What the agent remembers."""
        return self._open.store

    @property
    def llm(self) -> FrozenLLM:
        """The frozen model, opened at first use."""
        return self._open.llm

    def add(self, environment: Environment) -> None:
        """Take an environment of the caller's (for example `envs.Functions`): its tasks can then be run by id.

        Raises:
            UsageError: There is one of this name already.
        """
        self._open.add(environment)

    def run(
        self,
        task: str,
        *,
        max_steps: int | None = None,
        env_options: Mapping[str, Any] | None = None,
        on_event: OnEvent | None = None,
    ) -> EpisodeResult:
        """Run one task and wait for its end; see `arun`.

        Raises:
            UsageError: An event loop runs in this thread; await `arun` there.
        """
        return self._open.run(task, max_steps=max_steps, env_options=env_options, on_event=on_event)

    async def arun(
        self,
        task: str,
        *,
        max_steps: int | None = None,
        env_options: Mapping[str, Any] | None = None,
        on_event: OnEvent | None = None,
    ) -> EpisodeResult:
        """Run one task by its id, with memory, without learning from it.

        An interrupted call goes on where it stopped when it is made again.

        Args:
            task: Id of the task.
            max_steps: Step cap; the environment's own when None.
            env_options: Options that the environment is opened with, as a suite's `env_options`.
            on_event: Told of every node of the graph that finished.

        Raises:
            UnknownName: No environment or task has this name.
            FingerprintChanged: The model was not the same afterwards.
        """
        return await self._open.loop.wait(
            self._open.arun(task, max_steps=max_steps, env_options=env_options, on_event=on_event)
        )

    def learn(
        self, suite: str | Suite, *, episodes: int | None = None, progress: Progress | None = None
    ) -> LearnReport:
        """Run training episodes and wait for their end; see `alearn`.

        Raises:
            UsageError: An event loop runs in this thread; await `alearn` there.
        """
        return self._open.learn(suite, episodes=episodes, progress=progress)

    async def alearn(
        self, suite: str | Suite, *, episodes: int | None = None, progress: Progress | None = None
    ) -> LearnReport:
        """Run training episodes of a suite and learn from each.

        An interrupted call, and one in which an outcome stayed unknown, goes on where it stopped when it
        is made again; a finished one begins a new run over the next tasks.

        Args:
            suite: Name, path, or the suite itself.
            episodes: How many; the suite's own number when None.
            progress: Told of every episode.

        Raises:
            FingerprintChanged: The model was not the same afterwards.
        """
        return await self._open.loop.wait(
            self._open.alearn(suite, episodes=episodes, progress=progress)
        )

    def close(self) -> None:
        """Close environments, model and store; calling it twice is allowed."""
        self._open.close()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()
