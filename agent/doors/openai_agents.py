"""OpenAI Agents SDK: hooks that recall before a run and remember it, and a session (extra `openai-agents`).

    memory = Memory("desk")
    hooks = LichenHooks(memory, namespace="acme/ann")
    told = hooks.run_config()
    result = await Runner.run(agent, "My parcel 4711 never came", hooks=hooks, run_config=told)
    memory.feedback(hooks.episode, good=True)

One object serves one run: make another for the next. `session=LichenSession(memory, "42")` keeps the history of
a conversation in the same folder. A run that fails is not remembered; one that ended is
unknown, and no case, until there is feedback.
"""

import asyncio
import dataclasses
import json
import time
import uuid
from typing import Any

from ...envs.errors import MissingExtra, UsageError
from ...envs.results import value_text
from ...memory.ledger.namespaces import EVERYONE, checked
from ...memory.memory import Memory
from ...memory.store.item_table import StoredItem
from .watched_run import WatchedRun

try:
    from agents import RunConfig, RunHooks
    from agents.memory import SessionSettings
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
        """Return the settings of a run with which what is recalled reaches the model, quoted as data.

        Whole cases stand in the instructions; what memory says of a moment stands behind the last message, in
        that request only.
        """
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
            if self._run is None:
                return model
            parts = [part for part in (model.instructions, self._run.told.text) if part]
            return ModelInputData(
                input=_noted(model.input, await self._run.notes()),
                instructions="\n\n".join(parts) or None,
            )

        return dataclasses.replace(given, call_model_input_filter=told)

    async def on_tool_start(self, context: Any, agent: Any, tool: Any) -> None:
        """Note when a call began."""
        self._begun[str(getattr(context, "tool_call_id", tool.name))] = time.perf_counter()

    async def on_tool_end(self, context: Any, agent: Any, tool: Any, result: object) -> None:
        """Keep a call with what came of it."""
        if self._run is None:
            return
        text = value_text(result)
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


class LichenSession:
    """The history of one conversation, as the SDK's `Session` protocol has it.

    It is what was said, word for word, and no memory: nothing is learned from it, and `clear_session` removes
    it from the file. It is the conversation of one namespace alone.

    Args:
        memory: Opened; its owner closes it.
        session_id: Names the conversation.
        namespace: Whose it is.

    Raises:
        UsageError: The namespace is none, or the conversation has no name.
    """

    session_settings: SessionSettings | None = None

    def __init__(self, memory: Memory, session_id: str, *, namespace: str = EVERYONE) -> None:
        if not session_id:
            raise UsageError("a conversation needs a name")
        self.session_id = session_id
        self._items = memory.store.items
        self._place = ("openai-sessions", checked(namespace), session_id)

    async def get_items(self, limit: int | None = None) -> list[Any]:
        """Return what was said, oldest first; only the last ones with a limit."""
        said = [item.value["item"] for item in await asyncio.to_thread(self._held)]
        return said if limit is None else said[max(0, len(said) - limit) :]

    async def add_items(self, items: list[Any]) -> None:
        """Add what was said since, all of it or nothing."""
        plain = json.loads(json.dumps(items, default=_dumped))
        puts = [StoredItem(self._place, uuid.uuid4().hex, {"item": said}, ()) for said in plain]
        await asyncio.to_thread(self._items.write, [(put, ()) for put in puts], (), time.time())

    async def pop_item(self) -> Any:
        """Remove what was said last, and return it; None where there is nothing."""
        return await asyncio.to_thread(self._popped)

    async def clear_session(self) -> None:
        """Remove all of it."""
        await asyncio.to_thread(lambda: self._remove(self._held()))

    def _held(self) -> list[StoredItem]:
        here = self._items.within(self._place, time.time())
        return [item for item in here if item.namespace == self._place]

    def _popped(self) -> Any:
        last = self._held()[-1:]
        self._remove(last)
        return last[0].value["item"] if last else None

    def _remove(self, items: list[StoredItem]) -> None:
        self._items.write((), [(self._place, item.key) for item in items], time.time())


def _dumped(item: Any) -> Any:
    return item.model_dump(mode="json", exclude_unset=True)


def _noted(items: list[Any], notes: str) -> list[Any]:
    """Return a model's input with notes behind the user's words or a tool's answer, for this request only."""
    last = items[-1] if items else None
    if not notes or not isinstance(last, dict):
        return items
    key = "output" if "output" in last else "content"
    said = last.get(key)
    if isinstance(said, str):
        return [*items[:-1], {**last, key: f"{said}\n{notes}"}]
    if isinstance(said, list):
        return [*items[:-1], {**last, key: [*said, {"type": "input_text", "text": notes}]}]
    return items


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
