"""LangChain and deepagents: a middleware that recalls before the agent, and remembers what it did.

    memory = Memory("desk")
    agent = create_agent(model, tools, middleware=[LichenMiddleware(memory, namespace="acme/ann")])
    result = agent.invoke({"messages": [("user", "My parcel 4711 never came")]})
    memory.feedback(result["lichen_episode"], good=True)

What a run did is read from its messages when it ends, so that nothing is lost where it was interrupted and went
on in another process. A run that does not end is not remembered.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NotRequired

from ...envs.errors import MissingExtra
from ...memory.ledger.namespaces import EVERYONE
from ...memory.memory import Memory
from ...memory.told.foreign_step import ForeignStep
from ...memory.told.reminder import Reminder
from .watched_run import plain_arguments, quoted_notes

try:
    from langchain.agents.middleware import AgentMiddleware, AgentState
    from langchain.agents.middleware.types import ModelRequest, ModelResponse, ToolCallRequest
    from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
    from langgraph.runtime import Runtime
except ImportError as missing:
    raise MissingExtra("the door to LangChain", "langchain", "langchain") from missing

_log = logging.getLogger(__name__)
Judge = Callable[[str, str], bool | float]
"""Told the request and the answer; says how right it is, in [0, 1]."""


class LichenState(AgentState[Any]):
    """What the middleware keeps in the agent's state."""

    lichen_episode: NotRequired[str]
    """Id of the episode of the last run, for `Memory.feedback`."""
    lichen_asked: NotRequired[str]
    lichen_told: NotRequired[str]
    """The block of what was recalled; empty where there is nothing."""
    lichen_reminder: NotRequired[str]
    """The whole of it, as JSON."""


_KEPT = ("lichen_episode", "lichen_asked", "lichen_told", "lichen_reminder")


class LichenMiddleware(AgentMiddleware[LichenState, Any, Any]):
    """Memory for an agent of LangChain.

    A run is remembered as unknown, and is no case until there is feedback or a judge says more.

    Args:
        memory: Opened; its owner closes it.
        namespace: Whose runs they are; or a function of LangGraph's runtime that says so.
        k: Whole cases at most.
        judge: Says how right an answer is; None: nobody, until there is feedback.
    """

    state_schema = LichenState

    def __init__(
        self,
        memory: Memory,
        *,
        namespace: str | Callable[[Runtime[Any]], str] = EVERYONE,
        k: int = 4,
        judge: Judge | None = None,
    ) -> None:
        super().__init__()
        self.tools = []
        self._memory, self._namespace, self._k, self._judge = memory, namespace, k, judge
        self._contracts: dict[str, dict[str, Any]] = {}

    def before_agent(self, state: LichenState, runtime: Runtime[Any]) -> dict[str, Any] | None:
        """Recall for the user's last message."""
        asked = _asked(state["messages"])
        if not asked.strip():
            return dict.fromkeys(_KEPT, "")
        told = self._memory.recall(asked, namespace=self._space(runtime), k=self._k)
        return {
            "lichen_episode": told.id,
            "lichen_asked": asked,
            "lichen_told": told.text,
            "lichen_reminder": told.model_dump_json(),
        }

    async def abefore_agent(
        self, state: LichenState, runtime: Runtime[Any]
    ) -> dict[str, Any] | None:
        """Recall for the user's last message, beside the event loop."""
        return await asyncio.to_thread(self.before_agent, state, runtime)

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        """Ask the model with what was recalled in its system message, quoted as data."""
        return handler(self._noted(self._told(request)))

    async def awrap_model_call(
        self,
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]],
    ) -> ModelResponse[Any]:
        """The same, async."""
        told = await asyncio.to_thread(lambda: self._noted(self._told(request)))
        return await handler(told)

    def wrap_tool_call(self, request: ToolCallRequest, handler: Callable[..., Any]) -> Any:
        """Note the contract of a tool that is called."""
        self._note(request)
        return handler(request)

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[..., Awaitable[Any]]
    ) -> Any:
        """The same, async."""
        self._note(request)
        return await handler(request)

    def after_agent(self, state: LichenState, runtime: Runtime[Any]) -> dict[str, Any] | None:
        """Remember the run, and judge it where there is a judge."""
        episode, asked = state.get("lichen_episode", ""), state.get("lichen_asked", "")
        steps = self._steps(state["messages"])
        if not episode or not steps:
            return None
        told = Reminder(id=episode, situation=asked, namespace=self._space(runtime))
        self._memory.remember(told, steps)
        answer = str(steps[-1].arguments.get("answer", ""))
        if self._judge is not None and answer:
            try:
                score = float(self._judge(asked, answer))
                self._memory.feedback(episode, score=score, actor="judge")
            except Exception as error:  # whoever asked has the answer all the same
                _log.warning("the judge of %s failed, it stays unknown: %s", episode, error)
        return None

    async def aafter_agent(
        self, state: LichenState, runtime: Runtime[Any]
    ) -> dict[str, Any] | None:
        """The same, beside the event loop."""
        return await asyncio.to_thread(self.after_agent, state, runtime)

    def _space(self, runtime: Runtime[Any]) -> str:
        return self._namespace(runtime) if callable(self._namespace) else self._namespace

    def _told(self, request: ModelRequest[Any]) -> ModelRequest[Any]:
        text = request.state.get("lichen_told", "")
        if not text:
            return request
        before = request.system_message
        said = f"{before.text}\n\n{text}" if before is not None else str(text)
        return request.override(system_message=SystemMessage(said))

    def _noted(self, request: ModelRequest[Any]) -> ModelRequest[Any]:
        """Add what memory says of this moment to the last message, for this request only."""
        reminder = request.state.get("lichen_reminder")
        if not reminder or not request.messages:
            return request
        told = Reminder.model_validate_json(str(reminder))
        notes = quoted_notes(self._memory, told, self._steps(request.messages))
        last = request.messages[-1]
        if not notes or not isinstance(last, (HumanMessage, ToolMessage)):
            return request
        said = last.model_copy(update={"content": f"{last.text}\n{notes}"})
        messages = [*request.messages[:-1], said]
        return request.override(messages=messages)

    def _note(self, request: ToolCallRequest) -> None:
        tool = request.tool
        if tool is not None and tool.name not in self._contracts:
            schema: Any = tool.tool_call_schema
            contract = schema if isinstance(schema, dict) else schema.model_json_schema()
            self._contracts[tool.name] = contract

    def _steps(self, messages: Sequence[Any]) -> list[ForeignStep]:
        """Return what was done since the user's last message."""
        run = messages[_last_human(messages) + 1 :]
        answers = {m.tool_call_id: m for m in run if isinstance(m, ToolMessage)}
        steps: list[ForeignStep] = []
        for message in run:
            if not isinstance(message, AIMessage):
                continue
            for call in message.tool_calls:
                came = answers.get(call["id"] or "")
                text = came.text if came is not None else ""
                failed = came is not None and came.status == "error"
                steps.append(
                    ForeignStep(
                        tool=call["name"],
                        arguments=plain_arguments(call["args"]),
                        answer="" if failed else text,
                        error=text if failed else "",
                        parameters=self._contracts.get(call["name"], {}),
                    )
                )
            if not message.tool_calls and message.text.strip():
                said = {"answer": str(message.text)}
                steps.append(ForeignStep(tool="finish", arguments=said))
        return steps


def _last_human(messages: Sequence[Any]) -> int:
    """Return the place of the user's last message, -1 where there is none."""
    places = [n for n, message in enumerate(messages) if isinstance(message, HumanMessage)]
    return places[-1] if places else -1


def _asked(messages: Sequence[Any]) -> str:
    place = _last_human(messages)
    return str(messages[place].text) if place >= 0 else ""
