"""Whether a turn passed, by the package's own `state_checker` and `response_checker`.

The rules around them are those of the official `multi_turn_checker`: the ground truth runs turn by turn on
objects of its own; a turn without ground truth is not judged, though what was called in it stays; in every
other turn something must have been called, all public state must be equal, and what the ground truth's calls
of this turn gave must be among all that the agent's calls gave so far.
"""

import copy
from dataclasses import dataclass, field

from .apis import Apis, load, run
from .bfcl_files import BfclEntry


@dataclass
class ApiState:
    """Where a task stands."""

    entry: BfclEntry
    apis: Apis
    """The agent's."""
    truth: Apis
    """The same, on which the ground truth runs."""
    turn: int = 0
    called: bool = False
    """Whether a function was called in this turn."""
    results: list[str] = field(default_factory=list)
    """What all the agent's calls gave so far, as text."""

    @classmethod
    def of(cls, entry: BfclEntry) -> "ApiState":
        """Return the start of a task."""
        return cls(entry, apis=load(entry), truth=load(entry))

    def copy(self) -> "ApiState":
        """Return the same moment, on objects of its own."""
        apis, truth = copy.deepcopy(self.apis), copy.deepcopy(self.truth)
        return ApiState(self.entry, apis, truth, self.turn, self.called, list(self.results))


def turn_passes(state: ApiState) -> bool:
    """Run the ground truth of the present turn and return whether the official checks accept the turn."""
    from bfcl_eval.eval_checker.multi_turn_eval.multi_turn_checker import (
        response_checker,
        state_checker,
    )

    calls = state.entry.truth[state.turn]
    expected = [run(state.truth, call.name, call.arguments).text for call in calls]
    if not calls:
        return True
    if not state.called:
        return False
    try:
        return bool(
            state_checker(state.apis, state.truth)["valid"]
            and response_checker(state.results, expected, state.turn)["valid"]
        )
    except RecursionError:  # the agent copied a folder into itself: a state that is like no other
        return False
