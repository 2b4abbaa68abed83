"""A read whose remembered calls are bound to the present task (see `bound_calls`)."""

from collections.abc import Sequence

from ...envs.tools import ToolSpec
from ..ledger.records import Hits, State, StepCase
from ..recall.case_memory import CaseMemory
from .bound_calls import CallMoment, bound_hits, moment_of


def bound_read(
    view: CaseMemory,
    found: Hits,
    now: CallMoment,
    specs: Sequence[ToolSpec],
    state: State,
    refused: set[str],
) -> tuple[Hits, set[str]]:
    """Return what was found, its calls with the values of the present task, and those that helped.

    Args:
        view: It was found in.
        found: Of it.
        now: The present moment.
        specs: The tools that are there.
        state: Where the policy is, as memory sees it.
        refused: Calls that were just refused; they are left out.
    """

    def then(case: StepCase) -> CallMoment:
        whole = view.store.whole(case.episode)
        return moment_of(view.steps_of(whole) if whole is not None else (), case)

    bound, calls = bound_hits(found.hits, now, specs, then, state)
    left = tuple(hit for hit in bound if hit.action not in refused)
    return found.model_copy(update={"hits": left}), calls - refused
