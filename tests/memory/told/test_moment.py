"""What is told of one moment, beside what the recalled cases say."""

from pathlib import Path

from lichen.envs import make
from lichen.envs.base import Environment
from lichen.memory import Memory
from lichen.memory.told.foreign_step import ForeignStep
from lichen.memory.told.moment import repeated_notes


def test_who_goes_round_in_circles_is_told_so_and_nobody_else() -> None:
    look = ForeignStep(tool="find_order", arguments={"order": 1}, answer="at sea")
    other = ForeignStep(tool="find_order", arguments={"order": 2}, answer="at sea")
    later = ForeignStep(tool="find_order", arguments={"order": 1}, answer="in Oslo")
    assert repeated_notes([look, other, later]) == []
    (note,) = repeated_notes([look, other, look])
    assert note.startswith("Done 2 times already") and "find_order(order=1)" in note


def gold_steps(desk: Environment, task: str) -> tuple[str, list[ForeignStep]]:
    """Return a ticket and what closes it, as another agent tells its steps."""
    desk.reset(task)
    gold = desk.gold() or ()
    goal = desk.reset(task).goal
    steps = []
    for action in gold:
        call, answer = desk.read(action), desk.step(action).observation.text
        steps.append(ForeignStep(tool=call.tool, arguments=call.arguments, answer=answer))
    return goal, steps


def test_notes_bind_remembered_calls_to_this_request_and_do_not_repeat_a_refused_one(
    tmp_path: Path,
) -> None:
    desk = make("support")
    with Memory(tmp_path / "memory", name="desk") as memory:
        for number in range(3):
            goal, steps = gold_steps(desk, f"support/train/address/{number}")
            memory.remember(goal, steps, outcome="success")
        goal, steps = gold_steps(desk, "support/test/address/0")
        told = memory.recall(goal)
        named = [
            any(step.written in note for note in memory.notes(told, steps[:done]))
            for done, step in enumerate(steps[:-1])
        ]
        assert all(named) and len(named) > 1
        refused = steps[1].model_copy(update={"answer": "", "error": "not now"})
        after = memory.notes(told, [steps[0], refused])
    assert not any("next call" in note and refused.written in note for note in after)
