"""The gain of every step."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lichen.memory.kinds.case_module import gains
from lichen.memory.ledger.events import EpisodeEnded, EpisodeStarted, Event, Stepped
from lichen.memory.ledger.ledger import Entry

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


def test_a_step_that_ends_a_task_without_success_is_a_loss_and_one_at_the_limit_is_none(
    tmp_path: Path,
) -> None:
    gained = {}
    for name, terminated in (("lost", True), ("cut", False)):
        started = EpisodeStarted(
            env="x", family="f", split="train", task_id="x/1", goal="cook", source="own"
        )
        steps = [
            Stepped(
                step=number,
                goal="cook",
                text="You see a raw egg.",
                inventory="",
                recent=(),
                action=action,
                observation="Done.",
                score_before=0.0,
                score_after=0.0,
                terminated=terminated and action == "eat egg",
            )
            for number, action in enumerate(("take egg", "eat egg"))
        ]
        events: list[Event] = [started, *steps, EpisodeEnded(outcome="failure", score=0, steps=2)]
        with opened(tmp_path / name) as store:
            store.append(
                [Entry(f"{name}/{n}", "run", name, event) for n, event in enumerate(events)]
            )
            store.absorb()
            gained[name] = {case.action: case.gain for case in store.steps.values()}
    assert gained["lost"] == {"take egg": 0.0, "eat egg": -1.0}
    assert gained["cut"] == {"take egg": 0.0, "eat egg": 0.0}
