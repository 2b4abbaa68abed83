"""What is told of one moment, beside what the recalled cases say."""

from lichen.memory.told.foreign_step import ForeignStep
from lichen.memory.told.moment import repeated_notes


def test_who_goes_round_in_circles_is_told_so_and_nobody_else() -> None:
    look = ForeignStep(tool="find_order", arguments={"order": 1}, answer="at sea")
    other = ForeignStep(tool="find_order", arguments={"order": 2}, answer="at sea")
    later = ForeignStep(tool="find_order", arguments={"order": 1}, answer="in Oslo")
    assert repeated_notes([look, other, later]) == []
    (note,) = repeated_notes([look, other, look])
    assert note.startswith("Done 2 times already") and "find_order(order=1)" in note
