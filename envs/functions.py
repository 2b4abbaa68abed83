"""Your own functions as an environment: requests in words, Python functions as tools, a check of the answer.

    from lichen.envs import Functions, Request, Tool
    shop = Functions("shop", [Tool(find_order)], [Request("1", "Where is order 7?", lambda a: "Oslo" in a)])

The agent calls one function a step and ends with `finish(answer=...)`. What a function returns is what the
agent sees; what it raises is seen too, as a refused call. When an interrupted episode goes on, no function is
called again: what it answered is read from the ledger (see `envs.journal`).
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from .adapter import Adapter, Seen
from .approval import Approval, ApprovalNeeded, ApprovalRequest
from .awaiting import awaited
from .errors import EnvironmentFault, UnknownName, UsageError
from .journal import once
from .tools import Call, Tool, ToolSpec
from .types import SPLITS, ActionMode, Split, Task

FINISH = ToolSpec(
    name="finish",
    description="Give the answer to the request, when it is known.",
    parameters={
        "type": "object",
        "properties": {"answer": {"type": "string"}},
        "required": ["answer"],
    },
)


NOT_APPROVED = "a person did not approve it"
"""How a refusal begins that is a person's."""
_RIGHT, _WRONG = "right", "wrong"


@dataclass(frozen=True)
class Request:
    """One task: what is asked, and whether an answer is right."""

    id: str
    text: str
    check: Callable[[str], bool] | None = None
    """Told the answer (an async one is awaited); an exception of it is a fault of the environment, never a
    wrong answer. None: nothing but a judge can say."""
    split: Split = "train"
    family: str = "requests"


class Functions(Adapter):
    """Functions and requests of the caller's.

    Args:
        name: Of the environment; task ids are `NAME/ID`.
        tools: The functions, each with a name of its own.
        requests: The tasks, each with an id of its own.

    Raises:
        UsageError: A name or an id is there twice, or a function is called `finish`.
    """

    action_mode: ClassVar[ActionMode] = "tool_call"
    deterministic: ClassVar[bool] = False
    blocks: ClassVar[bool] = True
    _declared: ClassVar[bool] = True
    """Whether the requests are known from the beginning."""
    max_steps = 20

    def __init__(self, name: str, tools: Sequence[Tool], requests: Sequence[Request]) -> None:
        super().__init__()
        self.name = name
        self._tools = {tool.spec.name: tool for tool in tools}
        self._made = 0
        self._requests = {f"{name}/{request.id}": request for request in requests}
        if len(self._tools) < len(tools) or FINISH.name in self._tools:
            raise UsageError(f"{name}: every function needs a name of its own, and not 'finish'")
        if len(self._requests) < len(requests) or (self._declared and not requests):
            raise UsageError(f"{name}: there must be requests, each with an id of its own")

    def families(self) -> tuple[str, ...]:
        """Return the families of the requests, sorted."""
        return tuple(sorted({request.family for request in self._requests.values()}))

    def tasks(self, split: Split, families: Sequence[str] | None = None) -> tuple[Task, ...]:
        """Return the requests of a fold, in the order in which they were given."""
        if split not in SPLITS:
            raise UnknownName("split", split, SPLITS)
        wanted = self._chosen(families)
        return tuple(
            self.task(i)
            for i, request in self._requests.items()
            if request.split == split and request.family in wanted
        )

    def task(self, task_id: str) -> Task:
        """Return the task with this id."""
        request = self._requests.get(task_id)
        if request is None:
            raise UnknownName("task", task_id, list(self._requests))
        return Task(id=task_id, env=self.name, family=request.family, split=request.split)

    @property
    def verifiable(self) -> bool:
        """Whether the request has a check."""
        return self._requests[self._current.id].check is not None

    def tools(self) -> tuple[ToolSpec, ...]:
        """Return the contracts of the functions, and `finish`."""
        return (*(tool.spec for tool in self._tools.values()), FINISH)

    def another(self) -> "Functions":
        """Return a copy with the same functions; what they share is the caller's affair."""
        return copy.copy(self)

    def pending(self) -> str:
        """Return the call that was begun here before an interruption."""
        noted = self.journal.noted(self._made) if self.journal is not None else None
        return noted.call if noted is not None else ""

    def _start(self, task: Task, seed: int) -> Seen:
        self._made = 0
        return self._seen("Answer the request; call functions for what is not known.")

    def _act(self, action: str) -> Seen:
        try:
            call = self.read(action)
            if call.tool == FINISH.name:
                return self._finish(action, str(call.arguments["answer"]))
            tool = self._offered()[call.tool]
            said = self._approved(action, call, tool)
            if tool.outside:
                self._made += 1
                return self._seen(said.answer or "" if said is not None else "")
            return self._seen(self._once(action, lambda: tool.call(call.arguments), call, tool))
        except UsageError as error:
            return self._seen(f"Error: {error}", error=str(error))

    def _approved(self, action: str, call: Call, tool: Tool) -> Approval | None:
        """Ask a person, or whoever makes the call, where the tool wants that.

        Raises:
            ApprovalNeeded: Nobody has said anything yet.
            UsageError: It was not approved.
        """
        if not tool.needs_approval and not tool.outside:
            return None
        asked = ApprovalRequest(
            tool=call.tool,
            arguments=call.arguments,
            call=action,
            number=self._made,
            outside=tool.outside,
        )
        said = self.journal.approval(self._made) if self.journal is not None else None
        if said is None:
            raise ApprovalNeeded(asked)
        if not said.approved:
            self._made += 1
            raise UsageError(f"{NOT_APPROVED}{f': {said.note}' if said.note else ''}")
        return said

    def _offered(self) -> Mapping[str, Tool]:
        """Return the tools that can be called now, by name."""
        return self._tools

    def _once(
        self,
        action: str,
        make: Callable[[], str],
        call: Call | None = None,
        tool: Tool | None = None,
    ) -> str:
        """Make a call of the caller's code unless the journal knows its answer."""
        settle = tool.reconcile if tool is not None else None
        try:
            return once(
                self.journal,
                self._made,
                action,
                make,
                idempotent=tool is None or tool.idempotent,
                reconcile=(lambda: settle(**call.arguments)) if settle and call else None,
            )
        finally:
            self._made += 1

    def _finish(self, action: str, answer: str) -> Seen:
        check = self._requests[self._current.id].check
        if check is None:
            return self._seen("The answer was given.", lost=True)  # over, and not won by our word
        try:
            right = (
                self._once(action, lambda: _RIGHT if awaited(check(answer)) else _WRONG) == _RIGHT
            )
        except EnvironmentFault:
            raise
        except Exception as error:
            raise EnvironmentFault(
                f"the check of {self._current.id} failed: {type(error).__name__}: {error}"
            ) from error
        return self._seen("The answer was given.", won=right, lost=not right)

    def _seen(self, text: str, *, error: str = "", won: bool = False, lost: bool = False) -> Seen:
        return Seen(
            text=text or "(nothing)",
            goal=self._requests[self._current.id].text,
            admissible=None,
            score=float(won),
            won=won,
            lost=lost,
            error=error,
            request=True,
        )
