"""An agent opened to be worked with: its store, model, environments, skills, and the runs that it makes.

`Agent` is the small face of it for applications; the command line and the laboratory work with it directly.
"""

import asyncio
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from ..envs.base import Environment
from ..envs.errors import UsageError
from ..envs.registry import located
from ..envs.suite import Suite, load_suite
from ..memory.kinds.module import MemoryModule
from ..memory.kinds.playbook_module import Bullet
from ..memory.ledger.events import RunEnded, RunStarted
from ..memory.ledger.ledger import Entry
from ..memory.likeness.embedder import open_embedder
from ..memory.recall.case_memory import CaseMemory
from ..memory.store.store import Store
from ..memory.told.playbook_text import playbook_text
from ..memory.tools.known_calls import KnownCalls
from .acting.policy import Policy, PolicyConfig
from .config import AgentConfig, load_config
from .environments import Environments
from .episode.assistant import NoAssistant
from .episode.checkpoints import SharedGraph
from .episode.graph import Graph
from .episode.parts import EpisodeParts
from .episode.run_episode import EpisodeResult, OnEvent, run_episode
from .episode.stage import Stage
from .event_loops import OwnLoop
from .learning import learn_stream
from .llm.errors import check_fingerprint
from .llm.protocol import FrozenLLM, Usage
from .planning.critic import Critic
from .planning.planner import SubtaskPlanner
from .runs import LearnReport, Progress, next_attempt, next_run, run_started
from .skill_actions.open_library import AgentSkills
from .skill_actions.skill_set import SkillSet
from .softcot.soft_config import may_think
from .weighing import weights_at

if TYPE_CHECKING:
    from .softcot.hints import Hints

T = TypeVar("T")


class OpenAgent(AbstractContextManager["OpenAgent"]):
    """Everything that an agent of some settings has, each part opened at first use.

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
        self.config = config
        self.store = Store(
            config.store,
            embedder=open_embedder(config.embedder),
            index_url=config.index_url,
            capacity=config.retriever.capacity,
            modules=modules,
        )
        self._llm, self._lent = llm, llm is not None
        self._calls = KnownCalls(self.store)
        self.environments = Environments(self.store)
        self.skills = AgentSkills(config.skills, self.store)
        self.loop = OwnLoop()
        self._graph = SharedGraph(self.store.folder)
        self._going: set[str] = set()  # runs
        self._hints: Hints | None = None

    @classmethod
    def from_config(
        cls,
        path: Path | str | None = None,
        *,
        llm: FrozenLLM | None = None,
        modules: Sequence[type[MemoryModule]] | None = None,
        **options: Any,
    ) -> "OpenAgent":
        """Return an agent from a settings file (`lichen.toml` here, if there is one) and options.

        Raises:
            BadFile: The file or an option is wrong (StoreInUse: another process writes to the store).
        """
        return cls(load_config(path, **options), llm=llm, modules=modules)

    @property
    def llm(self) -> FrozenLLM:
        """The frozen model, opened at first use."""
        if self._llm is None:
            self._llm = self.config.open_llm()
        return self._llm

    @property
    def hints(self) -> "Hints":
        """The assistant with its gate, opened at first use."""
        if self._hints is None:
            from .softcot.hints import Hints

            self._hints = Hints(self.config, self.store, self.llm)
        return self._hints

    @property
    def usage(self) -> Usage:
        """What the model was used for so far; nothing when it was not opened."""
        return Usage() if self._llm is None else self._llm.usage

    def environment(
        self, suite: Suite | None, task_id: str = "", *, max_steps: int | None = None
    ) -> Environment:
        """Return the environment of a suite or of a task id, opened once, with its step cap set."""
        return self.environments.opened(suite, task_id, max_steps=max_steps)

    def add(self, environment: Environment) -> None:
        """Take an environment of the caller's (for example `envs.Functions`): its tasks can then be run by id.

        Raises:
            UsageError: There is one of this name already.
        """
        self.environments.add(environment)

    def parts(
        self,
        environment: Environment,
        task_id: str,
        *,
        memory: CaseMemory | None,
        seed: int | None = None,
        policy: PolicyConfig | None = None,
        learn: bool = False,
        llm_name: str = "",
        skills: SkillSet | None = None,
        hints: bool = True,
        holdout: float | None = None,
        explores: bool | None = None,
        speaks: bool = False,
        instructions: str = "",
        playbook: bool = True,
    ) -> EpisodeParts:
        """Return the parts of one episode; what is not said is as the agent's settings have it.

        Args:
            environment: Opened; the episode has it for itself while it runs.
            task_id: What is done in it.
            memory: What it may recall; None: nothing.
            hints: Whether the assistant may think, where its gate is open.
            holdout, explores: None: as an episode that learns, or does not, has them.
            speaks: Whether the model's words are answers.
            instructions: Beside those of the settings.
            playbook: Whether the model reads the bullets that the memory has of the environment.
        """
        policy = policy or self.config.policy
        bullets: tuple[Bullet, ...] = ()
        if playbook and memory is not None and policy.llm and policy.context:
            bullets = memory.playbook(environment.name)
            told = playbook_text([bullet.text for bullet in bullets])
            instructions = "\n\n".join(part for part in (instructions, told) if part)
        planned = self.config.planner == "plan" and policy.llm
        thinks = hints and policy.llm and may_think(self.config.softcot, self.store.folder)
        asked = llm_name if policy.llm else None
        if holdout is None:
            holdout = self.config.retriever.holdout if learn else 0.0
        made = EpisodeParts(
            stage=Stage(environment, task_id, seed=self.config.seed if seed is None else seed),
            memory=memory,
            policy=Policy(
                policy,
                self.config.open_voice(self.llm, policy, speaks=speaks, more=instructions)
                if policy.llm
                else None,
                weights_at(self, environment.task(task_id), memory, asked),
                learns=learn and not speaks,
            ),
            planner=SubtaskPlanner(self.llm) if planned else None,
            critic=Critic(self.llm) if policy.llm else None,
            assistant=self.hints if thinks else NoAssistant(),
            skills=skills,
            append=self.store.append,
            events_of=lambda episode: self.store.ledger.read(episode=episode),
            learn=learn,
            llm_name=llm_name,
            bullets=tuple(bullet.id for bullet in bullets),
            holdout=holdout,
            explores=learn if explores is None else explores,
        )
        return made.with_tools(self._calls)

    def graph(self) -> AbstractAsyncContextManager[Graph]:
        """Open the graph with its checkpointer in the store's folder."""
        return self._graph.opened()

    def run(self, task: str, **options: Any) -> EpisodeResult:
        """Run one task and wait for its end; see `Agent.run`."""
        return self.wait(self.arun(task, **options))

    async def arun(
        self,
        task: str,
        *,
        max_steps: int | None = None,
        env_options: Mapping[str, Any] | None = None,
        on_event: OnEvent | None = None,
    ) -> EpisodeResult:
        """Run one task by its id; see `Agent.arun`."""
        lent = self.environments.lent(None, task, max_steps=max_steps, options=env_options)
        with self._while_open():
            async with lent as environment:
                environment.task(task := located(task)[1])  # a wrong name leaves nothing written
                before = await self.fingerprint(self.config.policy.llm)
                more: dict[str, Any] = {"max_steps": environment.max_steps}
                more |= {"env_options": dict(env_options)} if env_options else {}
                started = self.started("run", task, before, more)
                run = next_run(self.store.ledger, started, self._going).id
                self._going.add(run)
                try:
                    self.opened(run, started)
                    attempt = next_attempt(self.store.ledger, f"task-{run}")
                    memory = CaseMemory(self.store, self.config.retriever)
                    parts = self.parts(
                        environment,
                        task,
                        memory=memory,
                        llm_name=before,
                        skills=self.skills.offered,
                    )
                    async with self.graph() as graph:
                        result = attempt.result or await run_episode(
                            graph, parts, episode=attempt.episode, run=run, on_event=on_event
                        )
                    await self.closed(run, before, 0 if result.outcome == "unknown" else 1)
                finally:
                    self._going.discard(run)
        return result

    def learn(
        self, suite: str | Suite, *, episodes: int | None = None, progress: Progress | None = None
    ) -> LearnReport:
        """Run training episodes and wait for their end; see `Agent.learn`."""
        return self.wait(self.alearn(suite, episodes=episodes, progress=progress))

    async def alearn(
        self, suite: str | Suite, *, episodes: int | None = None, progress: Progress | None = None
    ) -> LearnReport:
        """Run training episodes; see `Agent.alearn`."""
        with self._while_open():
            suite = load_suite(suite) if isinstance(suite, str) else suite
            count = suite.learn_tasks if episodes is None else episodes
            if count < 1:
                raise UsageError(f"{count} episodes cannot be run", hint="Ask for at least one.")
            before = await self.fingerprint(self.config.policy.llm)
            started = self.started("learn", suite.name, before, {"episodes": count})
            run = next_run(self.store.ledger, started, self._going)
            self._going.add(run.id)
            try:
                self.opened(run.id, started)
                return await learn_stream(self, suite, run, count, before, progress)
            finally:
                self._going.discard(run.id)

    async def fingerprint(self, asked: bool) -> str:
        """Return the model's fingerprint, or an empty string when it is not to be asked."""
        return await self.llm.fingerprint() if asked else ""

    def started(
        self, command: str, suite: str, fingerprint: str, more: dict[str, Any]
    ) -> RunStarted:
        """Return the event that begins a run with this agent's settings."""
        return run_started(self.config, command, suite, fingerprint, more)

    def opened(self, run: str, started: RunStarted) -> None:
        """Write that a run began, once."""
        self.store.append([Entry(key=f"{run}/start", run=run, episode="", event=started)])

    async def closed(self, run: str, before: str, episodes: int) -> str:
        """Write that a run ended, and return the model's fingerprint after it.

        Args:
            run: Its id.
            before: Fingerprint when it began, empty when no model was asked.
            episodes: How many it came to; 0 leaves it open, for the same command to go on with.

        Raises:
            FingerprintChanged: The model was not the same afterwards.
        """
        after = await self.fingerprint(bool(before))
        if episodes:
            ended = RunEnded(fingerprint=after, episodes=episodes)
            self.store.append(
                [Entry(key=f"{run}/end-{episodes}", run=run, episode="", event=ended)]
            )
        check_fingerprint(before, after)
        return after

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the agent's own event loop and return what it returns; see `OwnLoop.run`."""
        return self.loop.run(work)

    @contextmanager
    def _while_open(self) -> Iterator[None]:
        """Say in a sentence that the agent was closed during a run."""
        try:
            yield
        except (Exception, asyncio.CancelledError) as error:
            if not self.loop.closed:
                raise
            raise UsageError(
                "the agent was closed while it ran", hint="Wait for all runs before you close it."
            ) from error

    def close(self) -> None:
        """Close environments, model and store; what still runs is cancelled. Calling it twice is allowed.

        Raises:
            UsageError: It is called from inside a run.
        """
        ours = self._llm is not None and not self._lent
        self.loop.close(self.llm.close() if ours else None)
        try:
            self.environments.close()
            self.skills.close()
        finally:
            self._llm = self._hints = None
            self.store.close()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()
