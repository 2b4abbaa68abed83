"""The environment: one ticket an episode, a call a step, judged on the database when the ticket is closed.

Task ids are `support/SPLIT/FAMILY/N`: 60 train, 30 dev and 30 test tickets in six families; with `/second`
behind it the same ticket is judged by the second house rules, which nothing that is seen says. The goal is what
the customer wrote. `finish` closes the ticket: it is won when exactly the bookings that the house rules ask
for were made. The rules are not in the tools' descriptions; refused calls and the closing words tell them.
"""

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from ..adapter import Adapter, Seen
from ..errors import UnknownName, UsageError
from ..tools import ToolSpec, write_call
from ..types import SPLITS, ActionMode, Fact, Observation, Split, Task
from .desk import HelpDesk
from .rules import RULE_SETS, RULES, HouseRules, Ticket, gold, wanted
from .shop import KINDS, bookings, opened
from .tickets import shop_image, tickets

CLOSE = ToolSpec(
    name="finish",
    description="Close the ticket with a short answer to the customer, when all is done.",
    parameters={
        "type": "object",
        "properties": {"answer": {"type": "string"}},
        "required": ["answer"],
    },
)
OPENING = (
    "You are the help desk of Lantern, an online shop. Resolve the customer's ticket, then finish. "
    "When a call is refused, correct it and call again."
)


@dataclass(frozen=True)
class SupportSnapshot:
    """A moment of a ticket."""

    task: str
    image: bytes
    """The database, as SQLite writes it to disk."""
    last: Observation
    over: bool


class Support(Adapter):
    """A shop's help desk over a SQLite database in memory.

    Args:
        rules: Which house rules the tickets of `tasks` are judged by, `first` or `second`; a task id
            itself says which, so that one environment has both (see `drifting`).

    Raises:
        UnknownName: There are no such rules.
    """

    name = "support"
    action_mode: ClassVar[ActionMode] = "tool_call"
    max_steps = 10

    def __init__(self, rules: str = "first") -> None:
        super().__init__()
        if rules not in RULE_SETS:
            raise UnknownName("set of house rules", rules, RULE_SETS)
        self._listed = rules
        self._desk = HelpDesk(opened(shop_image()))
        self._tools = {tool.spec.name: tool for tool in self._desk.tools()}

    @property
    def _database(self) -> sqlite3.Connection:
        return self._desk.database

    @property
    def _judged(self) -> tuple[Ticket, HouseRules]:
        """The present ticket, and the rules that it is judged by."""
        ticket, rules = _asked(self._current.id)
        return ticket, RULE_SETS[rules]

    def _open(self, image: bytes) -> None:
        self._database.close()
        self._desk.database = opened(image)

    def families(self) -> tuple[str, ...]:
        """Return what tickets are about, sorted."""
        return tuple(sorted(RULES))

    def tasks(self, split: Split, families: Sequence[str] | None = None) -> tuple[Task, ...]:
        """Return the tickets of a fold, family by family, by number."""
        if split not in SPLITS:
            raise UnknownName("split", split, SPLITS)
        wanted_families = self._chosen(families)
        return tuple(
            _task(ticket, self._listed)
            for ticket in tickets().values()
            if ticket.split == split and ticket.family in wanted_families
        )

    def task(self, task_id: str) -> Task:
        """Return the task with this id."""
        return _task(*_asked(task_id))

    def tools(self) -> tuple[ToolSpec, ...]:
        """Return the desk's tools, and `finish`."""
        return (*(tool.spec for tool in self._tools.values()), CLOSE)

    def _start(self, task: Task, seed: int) -> Seen:
        self._open(shop_image())
        return self._seen(OPENING)

    def _act(self, action: str) -> Seen:
        try:
            call = self.read(action)
            if call.tool == CLOSE.name:
                return self._close_ticket()
            return self._seen(self._tools[call.tool].call(call.arguments))
        except UsageError as refusal:
            return self._seen(f"Error: {refusal}", error=str(refusal))

    def _close_ticket(self) -> Seen:
        ticket, rules = self._judged
        right = bookings(self._database) == wanted(ticket, rules)
        said = (
            f"Closed {'rightly' if right else 'wrongly'}. House rule: {rules.words[ticket.family]}"
        )
        return self._seen(said, won=right, lost=not right)

    def _seen(self, text: str, *, error: str = "", won: bool = False, lost: bool = False) -> Seen:
        ticket, rules = self._judged
        asked, made = Counter(wanted(ticket, rules)), Counter(bookings(self._database))
        return Seen(
            text=text,
            goal=ticket.text,
            admissible=None,
            score=1.0 if won else (asked & made).total() / (asked.total() + 1),
            won=won,
            lost=lost,
            error=error,
            request=True,
        )

    def gold(self) -> tuple[str, ...] | None:
        """Return the calls of one who knows the house rules."""
        self.reset(self._current.id)
        return tuple(write_call(*step) for step in gold(*self._judged))

    def facts(self) -> Mapping[str, Fact]:
        """Return what every environment says, and how many bookings of each kind were made."""
        made: Counter[str] = Counter(booking.kind for booking in bookings(self._database))
        return {**super().facts(), **{f"made.{kind}": made[kind] for kind in KINDS}}

    def snapshot(self) -> object:
        """Return the present moment."""
        task = self._current
        assert self._last is not None
        return SupportSnapshot(task.id, self._database.serialize(), self._last, self._over)

    def restore(self, state: object) -> Observation:
        """Go back to a moment of the same ticket."""
        if not isinstance(state, SupportSnapshot) or state.task != self._current.id:
            raise UsageError("the snapshot is not of the task that was last reset")
        self._open(state.image)
        self._last, self._over = state.last, state.over
        return state.last

    def close(self) -> None:
        """Close the database."""
        self._database.close()


def _asked(task_id: str) -> tuple[Ticket, str]:
    """Return the ticket of a task and the name of its house rules."""
    plain = task_id.removesuffix("/second")
    found = tickets().get(plain)
    if found is None:
        raise UnknownName("task", task_id, tickets())
    return found, "first" if plain == task_id else "second"


def _task(ticket: Ticket, rules: str) -> Task:
    id_ = ticket.id if rules == "first" else f"{ticket.id}/{rules}"
    return Task(id=id_, env="support", family=ticket.family, split=ticket.split)
