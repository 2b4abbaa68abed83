"""The agent: model, memory and graph put together, for scripts and for the command line.

from lichen.agent import Agent
with Agent.from_config(store="my-store") as agent:
    agent.learn("demo", episodes=3)
    print(agent.run("twx/mapreader/test/0").outcome)
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from ..envs.base import Environment
from ..envs.errors import UsageError
from ..envs.registry import make
from ..envs.suite import Suite, load_suite
from ..envs.types import Record, Task
from ..memory.cases import CaseMemory
from ..memory.embedder import open_embedder
from ..memory.events import RunEnded, RunStarted
from ..memory.fold import content_id
from ..memory.ledger import Entry
from ..memory.store import Store
from .assistant import NoAssistant
from .config import AgentConfig, load_config
from .critic import Critic
from .desk import Desk
from .episode import EpisodeResult, OnEvent, run_episode
from .graph import Graph, build
from .llm.errors import FingerprintChanged
from .llm.protocol import FrozenLLM
from .llm.registry import open_llm
from .planner import Planner, ReactivePlanner, SubtaskPlanner
from .policy import Policy, PolicyConfig
from .prompting import prompt_hash
from .runs import Progress, finished_attempts, next_run

T = TypeVar("T")


class LearnReport(Record):
    """What a stream of learning episodes came to."""

    run: str
    episodes: tuple[EpisodeResult, ...]
    resumed: int
    """Episodes that were already done when the command began."""
    fingerprint_before: str
    fingerprint_after: str

    @property
    def success(self) -> float:
        """Share of the known outcomes that are successes; 0 when there is none."""
        known = [e for e in self.episodes if e.outcome != "unknown"]
        return sum(e.outcome == "success" for e in known) / len(known) if known else 0.0


class Agent:
    """An agent that learns only in its store.

    Args:
        config: Settings; see `load_config`.
        llm: A frozen model of the caller's own; opened from `config.model` at first use when None.
    """

    def __init__(self, config: AgentConfig, *, llm: FrozenLLM | None = None) -> None:
        self.config = config
        self.store = Store(
            config.store, embedder=open_embedder(config.embedder), index_url=config.index_url
        )
        self._llm = llm
        self._environments: dict[str, Environment] = {}
        self._runner = asyncio.Runner()

    @classmethod
    def from_config(
        cls, path: Path | str | None = None, *, llm: FrozenLLM | None = None, **options: Any
    ) -> "Agent":
        """Return an agent from a settings file (`lichen.toml` here, if there is one) and options.

        Raises:
            BadFile: The file or an option is wrong.
            StoreInUse: Another process writes to the store.
        """
        return cls(load_config(path, **options), llm=llm)

    @property
    def llm(self) -> FrozenLLM:
        """The frozen model, opened at first use."""
        if self._llm is None:
            local = not self.config.model.startswith("openai:")
            options: dict[str, Any] = {"dtype": self.config.dtype} if local else {}
            self._llm = open_llm(self.config.model, base_url=self.config.base_url, **options)
        return self._llm

    def environment(self, suite: Suite | None, task_id: str = "") -> Environment:
        """Return the environment of a suite or of a task id, opened once."""
        name = suite.env if suite else task_id.split("/", 1)[0]
        options = dict(suite.env_options) if suite else {}
        key = f"{name}{sorted(options.items())}"
        if key not in self._environments:
            self._environments[key] = make(name, **options)
        found = self._environments[key]
        if suite is not None:
            found.max_steps = suite.max_steps
        return found

    def desk(
        self,
        environment: Environment,
        *,
        memory: CaseMemory | None,
        policy: PolicyConfig | None = None,
        learn: bool,
        llm_name: str = "",
    ) -> Desk:
        """Return a desk for one episode."""
        policy = policy or self.config.policy
        planned = self.config.planner == "plan"
        planner: Planner = SubtaskPlanner(self.llm) if planned else ReactivePlanner()
        return Desk(
            environment=environment,
            memory=memory,
            policy=Policy(policy, self.llm if policy.llm else None),
            planner=planner,
            critic=Critic(self.llm) if planned else None,
            assistant=NoAssistant(),
            append=self.store.append,
            learn=learn,
            llm_name=llm_name,
        )

    @asynccontextmanager
    async def graph(self) -> AsyncIterator[Graph]:
        """Open the graph with its checkpointer in the store's folder."""
        from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

        path = str(self.store.folder / "checkpoints.sqlite")
        async with AsyncSqliteSaver.from_conn_string(path) as checkpointer:
            yield build(checkpointer)

    def run(self, task: str, *, on_event: OnEvent | None = None) -> EpisodeResult:
        """Run one task by its id, with memory, without learning from it.

        Raises:
            UnknownName: No environment or task has this name.
        """
        return self.wait(self.arun(task, on_event=on_event))

    async def arun(self, task: str, *, on_event: OnEvent | None = None) -> EpisodeResult:
        """Run one task by its id; see `run`."""
        environment = self.environment(None, task)
        found = environment.task(task)
        episode = f"task-{content_id(task, str(self.store.ledger.head()))}"
        memory = CaseMemory(self.store, self.config.retriever)
        async with self.graph() as graph:
            desk = self.desk(environment, memory=memory, learn=False)
            return await run_episode(
                graph,
                desk,
                found,
                episode=episode,
                run=episode,
                seed=self.config.seed,
                on_event=on_event,
            )

    def learn(
        self, suite: str | Suite, *, episodes: int | None = None, progress: Progress | None = None
    ) -> LearnReport:
        """Run training episodes of a suite and learn from each.

        An interrupted call goes on where it stopped when it is made again; a finished one begins a new
        run over the next tasks.

        Args:
            suite: Name, path, or the suite itself.
            episodes: How many; the suite's own number when None.
            progress: Told of every episode.

        Raises:
            FingerprintChanged: The model was not the same afterwards.
        """
        return self.wait(self.alearn(suite, episodes=episodes, progress=progress))

    async def alearn(
        self, suite: str | Suite, *, episodes: int | None = None, progress: Progress | None = None
    ) -> LearnReport:
        """Run training episodes; see `learn`."""
        suite = load_suite(suite) if isinstance(suite, str) else suite
        count = suite.learn_tasks if episodes is None else episodes
        if count < 1:
            raise UsageError(f"{count} episodes cannot be run", hint="Ask for at least one.")
        environment = self.environment(suite)
        before = await self.llm.fingerprint() if self.config.policy.llm else ""
        run = next_run(self.store.ledger, "learn", suite.name, self.config.seed, count)
        self.store.append([self._opened(run.id, suite, count, before)])
        ids = suite.task_ids("train", None, self.config.seed)
        ids = [ids[(run.ordinal * count + i) % len(ids)] for i in range(count)]
        results, resumed = [], 0
        exploring = self.config.policy.exploring()
        memory = CaseMemory(self.store, self.config.retriever)
        async with self.graph() as graph:
            for number, task_id in enumerate(ids):
                attempt = finished_attempts(self.store.ledger, run.id, number)
                if attempt.result is not None:
                    resumed += 1
                    results.append(attempt.result)
                else:
                    desk = self.desk(
                        environment,
                        memory=memory,
                        policy=exploring,
                        learn=True,
                        llm_name=before if exploring.llm else "",
                    )
                    results.append(
                        await run_episode(
                            graph,
                            desk,
                            environment.task(task_id),
                            episode=attempt.episode,
                            run=run.id,
                            seed=self.config.seed,
                        )
                    )
                    self.store.absorb()
                if progress is not None:
                    progress(number + 1, count, results[-1])
        after = await self.llm.fingerprint() if self.config.policy.llm else ""
        ended = RunEnded(fingerprint=after, episodes=count)
        self.store.append([Entry(key=f"{run.id}/end", run=run.id, episode="", event=ended)])
        check_fingerprint(before, after)
        return LearnReport(
            run=run.id,
            episodes=tuple(results),
            resumed=resumed,
            fingerprint_before=before,
            fingerprint_after=after,
        )

    def _opened(self, run: str, suite: Suite, count: int, fingerprint: str) -> Entry:
        started = RunStarted(
            command="learn",
            suite=suite.name,
            seed=self.config.seed,
            fingerprint=fingerprint,
            config={
                "episodes": count,
                "prompts": prompt_hash(),
                **self.config.model_dump(mode="json", exclude={"store"}),
            },
        )
        return Entry(key=f"{run}/start", run=run, episode="", event=started)

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the agent's own event loop and return what it returns."""
        return self._runner.run(work)

    def task(self, task_id: str) -> Task:
        """Return the task with this id."""
        return self.environment(None, task_id).task(task_id)

    def close(self) -> None:
        """Close environments, model and store; calling it twice is allowed."""
        for environment in self._environments.values():
            environment.close()
        self._environments.clear()
        if self._llm is not None:
            self._runner.run(self._llm.close())
            self._llm = None
        self._runner.close()
        self.store.close()

    def __enter__(self) -> "Agent":
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()


def check_fingerprint(before: str, after: str) -> None:
    """Raise FingerprintChanged when the model was not the same afterwards."""
    if before != after:
        raise FingerprintChanged(
            f"the model's fingerprint was {before[:16]} before the run and is {after[:16]} after it"
        )
