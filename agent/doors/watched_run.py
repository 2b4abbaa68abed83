"""One run of somebody else's agent: what was recalled for it, what it did, and what is remembered of it."""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from ...envs.results import value_text
from ...envs.text import shortened
from ...memory.memory import Memory
from ...memory.told.foreign_step import ForeignStep
from ...memory.told.reminder import Reminder

_LETTERS = 20_000
"""Characters of one answer that are written down."""


class WatchedRun:
    """Collects the steps of one run; may be used from several tasks and threads.

    Args:
        memory: Where it is remembered.
        told: What was recalled for it.
    """

    def __init__(self, memory: Memory, told: Reminder) -> None:
        self._memory, self.told = memory, told
        self.steps: list[ForeignStep] = []
        self._ended = False

    @classmethod
    async def begun(
        cls, memory: Memory, request: str, *, namespace: str, thread: str = "", k: int = 4
    ) -> "WatchedRun":
        """Recall for a request, beside the event loop."""
        told = await asyncio.to_thread(
            lambda: memory.recall(request, namespace=namespace, thread=thread, k=k)
        )
        return cls(memory, told)

    def called(
        self,
        tool: str,
        arguments: Mapping[str, Any] | str | None,
        *,
        answer: Any = "",
        error: str = "",
        parameters: Mapping[str, Any] | None = None,
        begun: float | None = None,
    ) -> None:
        """Take one call of a tool.

        Args:
            tool: Its name.
            arguments: A map, or JSON.
            answer: What it returned.
            error: Why it failed; empty where it did not.
            parameters: JSON Schema of its arguments: its contract.
            begun: `time.perf_counter()` when it began.
        """
        took = None if begun is None else round((time.perf_counter() - begun) * 1000, 3)
        self.steps.append(
            ForeignStep(
                tool=tool,
                arguments=plain_arguments(arguments),
                answer=shortened(value_text(answer), _LETTERS),
                error=shortened(error, _LETTERS),
                parameters=dict(parameters or {}),
                took_ms=took,
            )
        )

    async def notes(self) -> str:
        """Return what memory says of this moment, in quoted lines, beside the event loop; empty for nothing."""
        return await asyncio.to_thread(quoted_notes, self._memory, self.told, tuple(self.steps))

    async def ended(self, answer: Any) -> str:
        """Write the run down with its answer, once, and return its id."""
        if not self._ended:
            self._ended = True
            self.called("finish", {"answer": value_text(answer)})
            await asyncio.to_thread(lambda: self._memory.remember(self.told, self.steps))
        return self.told.id


def quoted_notes(memory: Memory, told: Reminder, steps: Sequence[ForeignStep]) -> str:
    """Return what memory says of the moment after these steps, in quoted lines; empty for nothing."""
    lines = memory.notes(told, steps) if told.shown else []
    return "\n".join(f"| {line}" for line in lines)


def plain_arguments(given: Mapping[str, Any] | str | None) -> dict[str, Any]:
    """Return arguments as a map of JSON values."""
    if isinstance(given, str):
        try:
            given = json.loads(given or "{}")
        except ValueError:
            return {"text": given}
    if not isinstance(given, Mapping):
        return {} if given is None else {"value": value_text(given)}
    plain: dict[str, Any] = json.loads(json.dumps(dict(given), default=str))
    return plain
