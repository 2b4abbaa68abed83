"""The gain of every step."""

from hypothesis import given
from hypothesis import strategies as st

from lichen.memory.kinds.case_module import gains


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.floats(0, 1))
def test_gains_stay_in_range_and_are_zero_when_nothing_is_gained(
    scores: list[float], final: float
) -> None:
    found = gains(scores, final)
    assert len(found) == len(scores)
    assert all(-1 <= g <= 1 for g in found)
    assert all(g == 0 for g in gains([final] * len(scores), final))
