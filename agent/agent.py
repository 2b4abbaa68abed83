"""The agent as an application embeds it: requests in words, or tasks by id, and nothing to be put together.

from lichen.agent import Agent
agent = Agent.from_config(store="desk", model="openai:gpt-5-mini", instructions="You are our help desk.",
                          tools=[find_order, refund])
answer = agent.ask("My parcel 4711 never came", user="acme/ann")
agent.feedback(answer, good=True)
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

from ..envs.approval import Approval
from ..envs.base import Environment
from ..envs.suite import Suite
from ..envs.tools import Tool
from ..memory.kinds.module import MemoryModule
from ..memory.store.store import Store
from ..memory.store.verdicts import judged
from .asking.answer import Answer, AskEvent
from .asking.asks import Asks, Judge
from .config import AgentConfig, load_config
from .episode.run_episode import EpisodeResult, OnEvent
from .llm.protocol import FrozenLLM
from .open_agent import OpenAgent
from .runs import LearnReport, Progress
from .streams import streamed, streamed_here

if TYPE_CHECKING:
    from .doors.mcp.mcp_tools import McpTools


class Inside(NamedTuple):
    """What doors work with; it may change."""

    opened: OpenAgent
    asks: Asks


class Agent(AbstractContextManager["Agent"]):
    """An agent that learns only in its store; its language model stays frozen.

    Every sync method may be called from any thread in which no event loop runs; its async twin begins with `a`.

    Args:
        config: Settings; see `load_config`.
        llm: A frozen model of the caller's own, which the caller closes; opened from `config.model` at first
            use when None.
        modules: Kinds of memory; those that ship and those that are installed when None.
        tools: Functions, sync or async, or `Tool` objects, that may be called to answer a request.
        judge: Told a request and its answer, says how right it is (a bool, or a score in [0, 1]); `model`: the
            agent's own model, marked as a judge that errs; None: nobody, until there is feedback.
        name: Of the kind of work; what is learned under one name is not recalled under another.

    Raises:
        UsageError: A tool cannot be one, or two have one name.
        EnvironmentFault: An MCP server of the settings cannot be reached.
    """

    def __init__(
        self,
        config: AgentConfig,
        *,
        llm: FrozenLLM | None = None,
        modules: Sequence[type[MemoryModule]] | None = None,
        tools: Sequence[Tool | Callable[..., Any]] = (),
        judge: Judge | str | None = None,
        name: str = "requests",
    ) -> None:
        made = [tool if isinstance(tool, Tool) else Tool(tool) for tool in tools]
        self._open = OpenAgent(config, llm=llm, modules=modules)
        self._mcp: McpTools | None = None
        try:
            if config.mcp:
                from .doors.mcp import mcp_tools

                self._mcp = mcp_tools.McpTools(config.mcp)
                made += self._mcp.tools
            self._asks = Asks(self._open, name, made, judge)
        except BaseException:
            self.close()
            raise

    @classmethod
    def from_config(
        cls,
        path: Path | str | None = None,
        *,
        llm: FrozenLLM | None = None,
        modules: Sequence[type[MemoryModule]] | None = None,
        tools: Sequence[Tool | Callable[..., Any]] = (),
        judge: Judge | str | None = None,
        name: str = "requests",
        **options: Any,
    ) -> "Agent":
        """Return an agent from a settings file (`lichen.toml` here, if there is one) and options.

        Raises:
            BadFile: The file or an option is wrong (StoreInUse: another process writes to the store).
        """
        config = load_config(path, **options)
        return cls(config, llm=llm, modules=modules, tools=tools, judge=judge, name=name)

    def ask(self, text: str, *, user: str = "", thread: str = "") -> Answer:
        """Answer one request and wait for its end; see `aask`.

        Raises:
            UsageError: An event loop runs in this thread; await `aask` there.
        """
        return self._open.wait(self._asks.ask(text, namespace=user, thread=thread))

    async def aask(self, text: str, *, user: str = "", thread: str = "") -> Answer:
        """Answer one request, and remember it; it is no case until somebody says how it went.

        Args:
            text: Of the user.
            user: Whose it is, as a namespace from the outside in: `acme/ann` recalls what is Ann's, what is
                the team's and what is everyone's, and is remembered as Ann's.
            thread: The conversation that it is a turn of; empty: a request by itself. The same text in the same
                conversation goes on with a turn that a kill cut off.

        Returns:
            The answer: whole, or an honest part where a budget is used up, or what a person has to approve.

        Raises:
            UsageError: The text is empty, or a name is none.
            Unanswered: The model, or something outside, did not answer.
        """
        return await self._open.loop.wait(self._asks.ask(text, namespace=user, thread=thread))

    def stream(self, text: str, *, user: str = "", thread: str = "") -> Iterator[AskEvent]:
        """Yield what happens while a request is answered, the answer last; see `aask`."""
        return streamed_here(
            self._open.loop,
            lambda tell: self._asks.ask(text, namespace=user, thread=thread, tell=tell),
        )

    def astream(self, text: str, *, user: str = "", thread: str = "") -> AsyncIterator[AskEvent]:
        """Yield what happens while a request is answered, the answer last; see `aask`."""
        return streamed(
            self._open.loop,
            lambda tell: self._asks.ask(text, namespace=user, thread=thread, tell=tell),
        )

    def resume(self, answer: Answer | str) -> Answer:
        """Go on with a request that a kill cut off, and wait for its end; see `aapprove`."""
        return self._open.wait(self._asks.resume(_id(answer)))

    def approve(self, answer: Answer | str, approved: bool = True, *, note: str = "") -> Answer:
        """Say whether a call may be made, and wait for the answer; see `aapprove`."""
        said = Approval(approved=approved, note=note)
        return self._open.wait(self._asks.resume(_id(answer), said))

    async def aapprove(
        self, answer: Answer | str, approved: bool = True, *, note: str = ""
    ) -> Answer:
        """Say whether the call that an answer waits for may be made; the request goes on, also after a restart.

        Args:
            answer: The one that waits, or its id.
            approved: Whether the call may be made; the agent sees a refusal, and goes on without it.
            note: Why.

        Raises:
            UnknownCase: No request has this id (UsageError: it has ended).
            Unanswered: The model, or something outside, did not answer.
        """
        said = Approval(approved=approved, note=note)
        return await self._open.loop.wait(self._asks.resume(_id(answer), said))

    def feedback(
        self,
        answer: Answer | str,
        *,
        good: bool | None = None,
        score: float | None = None,
        correct: str = "",
        note: str = "",
    ) -> None:
        """Say how an answer was; it is learned from now, and an earlier verdict is void. See `afeedback`."""
        said = {"good": good, "score": score, "correct": correct, "note": note}
        self._open.wait(self._told(_id(answer), said))

    async def afeedback(
        self,
        answer: Answer | str,
        *,
        good: bool | None = None,
        score: float | None = None,
        correct: str = "",
        note: str = "",
    ) -> None:
        """Say how an answer was; it is learned from now, and an earlier verdict is void.

        Args:
            answer: It, or its id: today or next week, from any process that has the store.
            good: Whether it was right.
            score: How right, in [0, 1]; in the place of `good`.
            correct: What the answer should have been.
            note: Why, in words.

        Raises:
            UnknownCase: No request has this id.
            UsageError: Nothing, or two things at once, is said.
        """
        said = {"good": good, "score": score, "correct": correct, "note": note}
        await self._open.loop.wait(self._told(_id(answer), said))

    async def _told(self, episode: str, said: dict[str, Any]) -> None:
        judged(self._open.store, episode, **said)

    @property
    def inside(self) -> Inside:
        """What doors (HTTP, MCP) work with, on `opened.loop`; it may change."""
        return Inside(self._open, self._asks)

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
        if self._mcp is not None:
            self._mcp.close()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()


def _id(answer: Answer | str) -> str:
    return answer if isinstance(answer, str) else answer.id
