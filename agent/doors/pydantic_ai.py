"""pydantic-ai: a capability that recalls before a run, keeps its calls, and remembers it (extra `pydantic-ai`).

memory = Memory("desk")
remembering = LichenCapability(memory, namespace="acme/ann")
agent = Agent(model, capabilities=[remembering])
result = agent.run_sync("My parcel 4711 never came")
memory.feedback(remembering.episode(result), good=True)
"""

import copy
import dataclasses
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from ...envs.errors import MissingExtra, UsageError
from ...memory.ledger.namespaces import EVERYONE
from ...memory.memory import Memory
from .watched_run import WatchedRun

try:
    from pydantic_ai import AgentRunResult, RunContext
    from pydantic_ai.capabilities import AbstractCapability
    from pydantic_ai.exceptions import ModelRetry, ToolRetryError
    from pydantic_ai.messages import ModelRequest, UserPromptPart
    from pydantic_ai.models import ModelRequestContext
except ImportError as missing:
    raise MissingExtra("the door to pydantic-ai", "pydantic-ai", "pydantic-ai-slim") from missing

_HELD = 10_000
"""Last runs whose episodes are known by their results."""


class LichenCapability(AbstractCapability[Any]):
    """Memory for an agent of pydantic-ai.

    A run is remembered as unknown, and is no case until there is feedback; one that was interrupted or failed
    is not remembered at all.

    Args:
        memory: Opened; its owner closes it.
        namespace: Whose runs they are; or a function of the run's context that says so.
        k: Whole cases at most.
    """

    def __init__(
        self,
        memory: Memory,
        *,
        namespace: str | Callable[[RunContext[Any]], str] = EVERYONE,
        k: int = 4,
    ) -> None:
        self._memory, self._namespace, self._k = memory, namespace, k
        self._run: WatchedRun | None = None
        self._episodes: OrderedDict[str, str] = OrderedDict()
        """Shared by the copies that runs have."""

    def episode(self, result: AgentRunResult[Any]) -> str:
        """Return the id of the episode that a result was remembered as, for `Memory.feedback`.

        Raises:
            UsageError: It was not remembered here.
        """
        found = self._episodes.get(result.run_id)
        if found is None:
            raise UsageError("this result was not remembered by this capability")
        return found

    async def for_run(self, ctx: RunContext[Any]) -> "LichenCapability":
        """Return a capability of its own for one run, with what is recalled for it."""
        space = self._namespace(ctx) if callable(self._namespace) else self._namespace
        mine = copy.copy(self)
        asked = ctx.prompt if isinstance(ctx.prompt, str) else _texts(ctx.prompt)
        mine._run = None
        if asked.strip():
            mine._run = await WatchedRun.begun(self._memory, asked, namespace=space, k=self._k)
        return mine

    def get_instructions(self) -> Callable[[RunContext[Any]], str]:
        """Return the block of what is recalled, quoted as data."""
        return lambda ctx: self._run.told.text if self._run is not None else ""

    async def before_model_request(
        self, ctx: RunContext[Any], request_context: ModelRequestContext
    ) -> ModelRequestContext:
        """Add what memory says of this moment to the last message, for this request only."""
        messages = request_context.messages
        notes = await self._run.notes() if self._run is not None else ""
        if not notes or not messages or not isinstance(messages[-1], ModelRequest):
            return request_context
        last = dataclasses.replace(
            messages[-1], parts=[*messages[-1].parts, UserPromptPart(content=notes)]
        )
        return dataclasses.replace(request_context, messages=[*messages[:-1], last])

    async def wrap_tool_execute(
        self, ctx: RunContext[Any], *, call: Any, tool_def: Any, args: Any, handler: Any
    ) -> Any:
        """Keep a call with what came of it; an error is kept and raised."""
        begun = time.perf_counter()
        said: dict[str, Any] = {"parameters": tool_def.parameters_json_schema, "begun": begun}
        try:
            answer = await handler(args)
        except (ModelRetry, ToolRetryError) as error:
            self._kept(call.tool_name, args, error=str(getattr(error, "message", error)), **said)
            raise
        except Exception as error:
            self._kept(call.tool_name, args, error=f"{type(error).__name__}: {error}", **said)
            raise
        self._kept(call.tool_name, args, answer=answer, **said)
        return answer

    async def after_run(
        self, ctx: RunContext[Any], *, result: AgentRunResult[Any]
    ) -> AgentRunResult[Any]:
        """Remember the run; `episode` names it."""
        if self._run is not None:
            self._episodes[result.run_id] = await self._run.ended(result.output)
            while len(self._episodes) > _HELD:
                self._episodes.popitem(last=False)
        return result

    def _kept(self, tool: str, args: Any, **said: Any) -> None:
        if self._run is not None:
            self._run.called(tool, args, **said)


def _texts(prompt: Any) -> str:
    return "\n".join(part for part in prompt or () if isinstance(part, str))
