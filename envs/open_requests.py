"""Requests that come one by one: nothing is declared before, and nothing but a judge checks them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from .adapter import Seen
from .errors import UsageError
from .functions import FINISH, Functions, Request
from .tools import Call, Tool, ToolSpec
from .types import Task

_SAID = FINISH.model_copy(update={"said": True})


class OpenRequests(Functions):
    """Functions of the caller's, and the requests that are open now. A model's plain words are its answer.

    Args:
        name: Of the environment; task ids are `NAME/ID`.
        tools: The functions, each with a name of its own.

    Raises:
        UsageError: A name is there twice, or a function is called `finish`.
    """

    max_steps: int = 20
    _declared: ClassVar[bool] = False

    def __init__(self, name: str, tools: Sequence[Tool] = ()) -> None:
        super().__init__(name, tools, ())
        self._openings: dict[str, str] = {}

    def open(self, request: Request, opening: str = "") -> Task:
        """Take a request, and return it as a task.

        Args:
            request: With an id of its own.
            opening: What is seen first, for example the conversation so far.
        """
        task_id = f"{self.name}/{request.id}"
        self._requests[task_id] = replace(request, family=self.name)
        self._openings[task_id] = opening
        return self.task(task_id)

    def drop(self, task_id: str) -> None:
        """Let go of a request that is over."""
        self._requests.pop(task_id, None)
        self._openings.pop(task_id, None)

    def tools(self) -> tuple[ToolSpec, ...]:
        """Return the contracts of the functions, and `finish`."""
        return (*(tool.spec for tool in self._offered().values()), _SAID)

    def contract(self, call: Call) -> str | None:
        """Return the contract that a tool has now; None where no tools were given, so that nothing is known.

        An agent may be opened without its tools, to take feedback.
        """
        return super().contract(call) or ("" if self._tools else None)

    def _start(self, task: Task, seed: int) -> Seen:
        self._made = 0
        return self._seen(self._openings[task.id] or "(This is the first message.)")


class OutsideRequests(OpenRequests):
    """Requests that bring the contracts of their tools along; whoever asks makes the calls.

    Args:
        name: Of the environment; task ids are `NAME/ID`.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._given: dict[str, Mapping[str, Tool]] = {}

    def bring(self, task_id: str, tools: Sequence[Tool]) -> None:
        """Take the tools of a request.

        Raises:
            UsageError: Two have one name.
        """
        by_name = {tool.spec.name: tool for tool in tools}
        if len(by_name) < len(tools):
            raise UsageError("every tool needs a name of its own")
        self._given[task_id] = by_name

    def drop(self, task_id: str) -> None:
        """Let go of a request that is over, or waits."""
        super().drop(task_id)
        self._given.pop(task_id, None)

    def contract(self, call: Call) -> str | None:
        """Return None: every client has tools of its own, and one's contract says nothing of another's."""
        return None

    def _offered(self) -> Mapping[str, Tool]:
        return {} if self._task is None else self._given.get(self._task.id, {})
