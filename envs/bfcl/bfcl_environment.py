"""The adapter: the 800 multi-turn tasks of BFCL v4 (Patil et al. 2025) from the package bfcl-eval.

Task ids are `bfcl/FAMILY/N`, N from 0 to 199. The four families are variants of the same 200 scenarios:
`base`; `miss_func`, where functions are held out until a later turn; `miss_param`, where the user leaves a
value out at first; `long_context`, where results are long.

The benchmark has no split; this one is ours, by N, so that the variants of a scenario share a fold: the last
digit 0-5 is train, 6-7 dev, 8-9 test. Scenarios with equal start or equal ground truth (`LIKE`) follow the
first of them. Per family 118 train, 42 dev, 40 test. What folds still share: the trading scenarios (100-149)
begin in nearly one world, with other requests.

An action is one call with literal arguments, `cd(folder='documents')`. `end_turn()` is our tool for what the
official harness sees when a model answers without a call: the user's next message comes as the new goal, or
the task is over. Also ours: a failed turn ends the episode as lost, for no later turn can mend it; the steps
are counted per task and not 20 answers per turn (an answer may hold several calls there); a call of a
function that is not in `tools()` is refused and is no call (there, hidden functions would run); values that
make the MathAPI compute for minutes are refused. Kinds of arguments are left to the APIs, as there: the
ground truth of base/173 gives a text where the documents say integer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

from ..adapter import Adapter, Seen
from ..errors import UnknownName, UsageError
from ..tools import Call, ToolSpec, call_of, read_call, write_call
from ..types import SPLITS, ActionMode, Observation, Split, Task
from .apis import run
from .bfcl_files import API_NAMES, FAMILIES, entries, new_functions_message, require, specs_of
from .checks import ApiState, turn_passes

END_TURN = ToolSpec(
    name="end_turn",
    description="End this turn, when the user's request is fulfilled as far as it can be: his next message "
    "follows, or the conversation is over.",
    always=True,
)
LIKE = {70: 66, 74: 66, 83: 63, 104: 100, 133: 100, 124: 120, 136: 107}
"""Scenario -> the first one with the same start or the same ground truth."""
OPENING = (
    "A user asks, message by message. Fulfil each message by calling functions, one call at a time; "
    "call end_turn() when there is nothing more to call for it."
)


@dataclass(frozen=True)
class BfclSnapshot:
    """A moment of a task."""

    task: str
    state: ApiState
    last: Observation
    over: bool


class BFCL(Adapter):
    """BFCL's multi-turn tasks: calls of documented functions, judged by the official checks.

    Raises:
        MissingExtra: bfcl-eval is not installed; the hint says how to install it.
    """

    name = "bfcl"
    action_mode: ClassVar[ActionMode] = "tool_call"
    max_steps = 60

    def __init__(self) -> None:
        super().__init__()
        require()
        self._state: ApiState | None = None

    def families(self) -> tuple[str, ...]:
        """Return the four variants."""
        return FAMILIES

    def tasks(self, split: Split, families: Sequence[str] | None = None) -> tuple[Task, ...]:
        """Return the tasks of the fold, family by family, by number."""
        if split not in SPLITS:
            raise UnknownName("split", split, SPLITS)
        return tuple(
            _task(family, number)
            for family in self._chosen(families)
            for number in range(200)
            if _fold(number) == split
        )

    def task(self, task_id: str) -> Task:
        """Return the task with this id."""
        match task_id.split("/"):
            case ["bfcl", family, number] if family in FAMILIES and number in _NUMBERS:
                return _task(family, int(number))
        raise UnknownName("task", task_id, [f"bfcl/{family}/0" for family in FAMILIES])

    def _start(self, task: Task, seed: int) -> Seen:
        self._state = ApiState.of(entries(task.family)[int(task.id.rsplit("/", 1)[1])])
        return self._seen(OPENING)

    def tools(self) -> tuple[ToolSpec, ...]:
        """Return the functions that are there in this turn, and `end_turn`; none before `reset`."""
        if self._state is None:
            return ()
        entry, turn = self._state.entry, self._state.turn
        documented = (spec for name in entry.classes for spec in specs_of(name))
        return (*(s for s in documented if entry.held_out.get(s.name, 0) <= turn), END_TURN)

    def contracts(self) -> Mapping[str, str]:
        """Return the schema hash of every function of every API, and of `end_turn`."""
        return _contracts()

    def read(self, action: str) -> Call:
        """Return the call, its names checked by the contract and its kinds left to the API.

        Raises:
            UsageError: It is no call of a function that is there.
        """
        text = action.strip()
        if text.startswith("[") and text.endswith("]"):  # the official form, with one call in it
            text = text[1:-1]
        specs = self.tools()
        read = read_call(text, [_without_kinds(spec) for spec in specs])
        return call_of(next(spec for spec in specs if spec.name == read.tool), read.arguments)

    def _act(self, action: str) -> Seen:
        try:
            call = self.read(action)
        except UsageError as refusal:
            return self._seen(f"Error: {refusal}. {refusal.hint}".strip(), error=str(refusal))
        if call.tool == END_TURN.name:
            return self._end_turn()
        state = self._now
        result = run(state.apis, call.tool, call.arguments)
        state.called = True
        state.results.append(result.text)
        return self._seen(result.text or "(no output)", error=result.error)

    def _end_turn(self) -> Seen:
        state = self._now
        passed = turn_passes(state)
        last = state.turn + 1 == len(state.entry.messages)
        if last or not passed:
            return self._seen("The conversation is over.", won=passed, lost=not passed)
        before = {spec.name for spec in self.tools()}
        state.turn, state.called = state.turn + 1, False
        new = [spec.name for spec in self.tools() if spec.name not in before]
        added = f"\nNew functions: {', '.join(new)}." if new else ""
        return self._seen(f"The next turn begins. The user says: {self._message}{added}")

    def _seen(self, text: str, *, error: str = "", won: bool = False, lost: bool = False) -> Seen:
        state = self._now
        return Seen(
            text=text,
            goal=self._message,
            admissible=None,
            score=1.0 if won else state.turn / len(state.entry.messages),
            won=won,
            lost=lost,
            error=error,
            request=True,
        )

    @property
    def _message(self) -> str:
        """What the user says in this turn."""
        return self._now.entry.messages[self._now.turn] or new_functions_message()

    @property
    def _now(self) -> ApiState:
        if self._state is None:
            raise UsageError("bfcl: reset was not called")
        return self._state

    def gold(self) -> tuple[str, ...] | None:
        """Return the calls of the ground truth, each turn ended."""
        task = self._current
        found: list[str] = []
        for calls in self._now.entry.truth:
            found += [write_call(call.name, call.arguments) for call in calls]
            found.append(write_call(END_TURN.name, {}))
        self.reset(task.id)
        return tuple(found)

    def snapshot(self) -> object:
        """Return the present moment."""
        task = self._current
        assert self._last is not None
        return BfclSnapshot(task.id, self._now.copy(), self._last, self._over)

    def restore(self, state: object) -> Observation:
        """Go back to a moment of the same task."""
        if not isinstance(state, BfclSnapshot) or state.task != self._current.id:
            raise UsageError("the snapshot is not of the task that was last reset")
        self._state = state.state.copy()
        self._last, self._over = state.last, state.over
        return state.last


_NUMBERS = frozenset(map(str, range(200)))


def _task(family: str, number: int) -> Task:
    return Task(id=f"bfcl/{family}/{number}", env="bfcl", family=family, split=_fold(number))


def _fold(number: int) -> Split:
    digit = LIKE.get(number, number) % 10
    return "train" if digit < 6 else "dev" if digit < 8 else "test"


@lru_cache
def _contracts() -> Mapping[str, str]:
    every = [END_TURN, *(spec for name in API_NAMES for spec in specs_of(name))]
    return {spec.name: spec.schema_hash for spec in every}


def _without_kinds(spec: ToolSpec) -> ToolSpec:
    bare: dict[str, dict[str, Any]] = {name: {} for name in spec.properties}
    return spec.model_copy(update={"parameters": {**spec.parameters, "properties": bare}})
