"""OpenAI Agents SDK: hooks that recall before a run, keep its calls, and remember it (extra `openai-agents`).

    memory = Memory("desk")
    hooks = LichenHooks(memory, namespace="acme/ann")
    told = hooks.run_config()
    result = await Runner.run(agent, "My parcel 4711 never came", hooks=hooks, run_config=told)
    memory.feedback(hooks.episode, good=True)

One object serves one run: make another for the next. A run that fails is not remembered; one that ended is
unknown, and no case, until there is feedback.
"""

import dataclasses
import time
from typing import Any

from ...envs.errors import MissingExtra, UsageError
from ...memory.ledger.namespaces import EVERYONE
from ...memory.memory import Memory
from .watched_run import WatchedRun, as_text

try:
    from agents import RunConfig, RunHooks
    from agents.run_config import CallModelData, ModelInputData
except ImportError as missing:
    raise MissingExtra(
        "the door to the OpenAI Agents SDK", "openai-agents", "openai-agents"
    ) from missing

_FAILED = "An error occurred while running the tool"
"""How the SDK begins what it tells the model of a function that raised."""


class LichenHooks(RunHooks[Any]):
    """Memory for a run of the OpenAI Agents SDK.

    Args:
        memory: Opened; its owner closes it.
        namespace: Whose runs they are.
        thread: The conversation that they are turns of.
        k: Whole cases at most.
    """

    def __init__(
        self, memory: Memory, *, namespace: str = EVERYONE, thread: str = "", k: int = 4
    ) -> None:
        self._memory, self._namespace, self._thread, self._k = memory, namespace, thread, k
        self._run: WatchedRun | None = None
        self._begun: dict[str, float] = {}
        self._episode = ""

    @property
    def episode(self) -> str:
        """Id of the episode that the last run was remembered as, for `Memory.feedback`.

        Raises:
            UsageError: No run has ended.
        """
        if not self._episode:
            raise UsageError("no run has ended yet that could be judged")
        return self._episode

    def run_config(self, base: RunConfig | None = None) -> RunConfig:
        """Return the settings of a run with which what is recalled reaches the model, quoted as data."""
        given = base or RunConfig()
        before = given.call_model_input_filter

        async def told(data: CallModelData[Any]) -> ModelInputData:
            model = data.model_data
            if before is not None:
                found = before(data)
                model = found if isinstance(found, ModelInputData) else await found
            if self._run is None and (asked := _asked(model.input)):
                self._run = await WatchedRun.begun(
                    self._memory,
                    asked,
                    namespace=self._namespace,
                    thread=self._thread,
                    k=self._k,
                )
            text = self._run.told.text if self._run is not None else ""
            parts = [part for part in (model.instructions, text) if part]
            return ModelInputData(input=model.input, instructions="\n\n".join(parts) or None)

        return dataclasses.replace(given, call_model_input_filter=told)

    async def on_tool_start(self, context: Any, agent: Any, tool: Any) -> None:
        """Note when a call began."""
        self._begun[str(getattr(context, "tool_call_id", tool.name))] = time.perf_counter()

    async def on_tool_end(self, context: Any, agent: Any, tool: Any, result: object) -> None:
        """Keep a call with what came of it."""
        if self._run is None:
            return
        text = as_text(result)
        failed = text.startswith(_FAILED)
        self._run.called(
            tool.name,
            getattr(context, "tool_arguments", None),
            answer="" if failed else text,
            error=text if failed else "",
            parameters=getattr(tool, "params_json_schema", None),
            begun=self._begun.pop(str(getattr(context, "tool_call_id", tool.name)), None),
        )

    async def on_agent_end(self, context: Any, agent: Any, output: Any) -> None:
        """Remember the run."""
        run, self._run = self._run, None
        if run is not None:
            self._episode = await run.ended(output)


def _asked(items: Any) -> str:
    """Return the user's last message in the input of a model; empty where there is none."""
    for item in reversed(items):
        role = item.get("role") if isinstance(item, dict) else getattr(item, "role", "")
        if role != "user":
            continue
        content = item.get("content") if isinstance(item, dict) else getattr(item, "content", "")
        if isinstance(content, str):
            return content
        return "\n".join(str(p.get("text", "")) for p in content or () if isinstance(p, dict))
    return ""
