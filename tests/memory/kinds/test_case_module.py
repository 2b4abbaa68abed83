"""The gain of every step."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lichen.memory.kinds.case_module import gains

from ..conftest import opened


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.floats(0, 1))
def test_gains_stay_in_range_and_are_zero_when_nothing_is_gained(
    scores: list[float], final: float
) -> None:
    found = gains(scores, final)
    assert len(found) == len(scores)
    assert all(-1 <= g <= 1 for g in found)
    assert all(g == 0 for g in gains([final] * len(scores), final))


def test_a_refused_call_of_a_won_episode_never_counts_as_good(stocked: Path) -> None:
    with opened(stocked) as store:
        steps = list(store.steps.values())
    refused = [case for case in steps if case.error]
    assert [case.action for case in refused] == ["count(item='table')"]
    assert refused[0].gain <= 0
    assert all(
        case.gain > 0 for case in steps if case.family == refused[0].family and not case.error
    )
