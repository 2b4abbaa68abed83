"""What one decision is made from, and the one place where it is assembled."""

import zlib
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ...envs.errors import UsageError
from ...envs.tools import Call, ToolSpec, read_call, rewritten, write_call
from ...envs.types import Observation
from ...memory.ledger.records import Hits, State
from ...memory.likeness.states import state_of
from ...memory.told.remembered import NOTHING_REMEMBERED, Remembered
from ..llm.thought import SILENT, Thought
from .working_memory import WorkingMemory


class Favour(NamedTuple):
    """What a call of a skill has before the policy looks at it."""

    first: str
    """The action it begins with; empty where that is not known."""
    nats: float
    """Given over that action."""
    tool: ToolSpec | None = None
    """The skill as a tool, for models that call tools."""
    arguments: Mapping[str, Any] = {}
    """Of this call."""

    @property
    def whole(self) -> bool:
        """Whether it can be called as it is; else whoever calls it says the arguments."""
        return self.tool is None or set(self.tool.required) <= set(self.arguments)


def _no_failure(call: Call) -> str:
    return ""


def _as_it_is(call: Call, told: str) -> Call:
    return call


@dataclass(frozen=True)
class Situation:
    """All that one decision is made from; `situation` assembles it."""

    seen: Observation
    """The last observation."""
    state: State
    """The same as memory sees it."""
    hits: Hits
    """What was recalled."""
    rng: np.random.Generator
    """Breaks ties, and samples in learning episodes."""
    working: WorkingMemory
    """What was tried in this episode."""
    history: Sequence[tuple[str, str]] = ()
    """(action, answer) pairs of this episode, oldest first."""
    refused: Collection[tuple[str, str]] = ()
    """Those of them that were refused."""
    hint: str = ""
    """The current subtask, when there is a plan."""
    thought: Thought = SILENT
    """The assistant's, read behind the prompt; silent: the model alone, bit for bit."""
    warned: Collection[str] = ()
    """Actions that tool memory knows to fail."""
    favoured: Mapping[str, Favour] = field(default_factory=dict)
    """Calls of skills that are offered besides the environment's actions."""
    candidates: tuple[str, ...] = ()
    """Calls that were made up to choose among, where the environment takes any call."""
    specs: tuple[ToolSpec, ...] = ()
    """The tools that can be called, where actions are calls."""
    opening: str = ""
    """What was seen before the first action."""
    remembered: Remembered = NOTHING_REMEMBERED
    """Of the whole task, for a model that reads it before its first decision."""
    failure_of: Callable[[Call], str] = _no_failure
    """What is known of how such a call failed, in a sentence; empty where nothing is."""
    mend: Callable[[Call, str], Call] = _as_it_is
    """The call to make in the place of one that is known to fail, from it and what this episode has told."""

    @property
    def told(self) -> str:
        """All that this episode has shown so far, the goal left out."""
        return "\n".join([self.opening, self.state.text, *(said for _, said in self.history)])

    @property
    def refusals(self) -> Counter[str]:
        """How often each action was refused in this episode."""
        return Counter(action for action, said in self.history if (action, said) in self.refused)

    def can(self, action: str) -> bool:
        """Return whether an action can be tried: it is listed, a call under the contracts, or any text."""
        if self.seen.admissible is not None:
            return action in self.actions or (self.seen.reworded and bool(action))
        if not self.specs:
            return bool(action)
        try:
            read_call(action, self.specs)
        except UsageError:
            return False
        return True

    def written(self, action: str) -> str:
        """Return an action in its one form."""
        return rewritten(action, self.specs) if self.specs else action

    def mended(self, action: str) -> str:
        """Return the action to take in the place of one that memory knows to fail, in its one form."""
        action = self.written(action)
        try:
            call = read_call(action, self.specs)
        except UsageError:
            return action
        now = self.mend(call, f"{self.seen.goal}\n{self.told}")
        return action if now is call else self.written(write_call(now.tool, now.arguments))

    @property
    def actions(self) -> tuple[str, ...]:
        """What can be chosen among, sorted; a model that talks may name another call where any is taken."""
        open_to = self.candidates if self.seen.admissible is None else self.seen.admissible
        whole = {action for action, favour in self.favoured.items() if favour.whole}
        return tuple(sorted({*open_to, *whole})) if whole else open_to


def situation(
    seen: Observation,
    actions: Sequence[str],
    hits: Hits,
    *,
    seed: int,
    working: WorkingMemory | None = None,
    history: Sequence[tuple[str, str]] = (),
    refused: Collection[tuple[str, str]] = (),
    hint: str = "",
    thought: Thought = SILENT,
    warned: Collection[str] = (),
    favoured: Mapping[str, Favour] | None = None,
    candidates: tuple[str, ...] = (),
    specs: tuple[ToolSpec, ...] = (),
    opening: str = "",
    remembered: Remembered = NOTHING_REMEMBERED,
    failure_of: Callable[[Call], str] = _no_failure,
    mend: Callable[[Call, str], Call] = _as_it_is,
) -> Situation:
    """Assemble what a decision is made from, after some actions of an episode.

    The one assembly: episodes, the continual protocol and the certificate's anchors all use it.

    Args:
        seen: The last observation.
        actions: Taken so far, oldest first.
        hits: What was recalled.
        seed: Of the run; the generator of the decision follows from it, the task and the step.
        working: What was tried in this episode; None: nothing yet.
        history: (action, answer) pairs of this episode, oldest first.
        refused: Those of them that were refused.
        hint: The current subtask, when there is a plan.
        thought: The assistant's.
        warned: Actions that tool memory knows to fail.
        favoured: Calls of skills that are offered besides the environment's actions.
        candidates: Calls to choose among, where the environment takes any call.
        specs: The tools that can be called, where actions are calls.
        opening: What was seen before the first action.
        remembered: Of the whole task.
        failure_of: What is known of how a call failed.
        mend: Mends a call that is known to fail.
    """
    return Situation(
        seen=seen,
        state=state_of(seen, actions),
        hits=hits,
        rng=step_rng(seed, seen.task.id, len(actions)),
        working=working or WorkingMemory(),
        history=history,
        refused=refused,
        hint=hint,
        thought=thought,
        warned=warned,
        favoured=favoured or {},
        candidates=candidates,
        specs=specs,
        opening=opening,
        remembered=remembered,
        failure_of=failure_of,
        mend=mend,
    )


def step_rng(seed: int, task_id: str, step: int) -> np.random.Generator:
    """Return the generator of one decision: the same after a resume, and in every arm."""
    return np.random.default_rng([seed, zlib.crc32(task_id.encode()), step])
