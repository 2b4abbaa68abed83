"""What calls with values came to is expected of what is alike."""

from lichen.agent.practice.skill_values import SkillValues


def test_a_kind_of_thing_says_once_what_a_number_is_good_for() -> None:
    tried = SkillValues()
    for log in ("oak log", "birch log", "jungle log"):
        tried.note("combine 4", log, good=True)
    tried.note("combine 4", "coal", good=False)
    assert tried.counts["combine 4", ""] == [1, 1]
    assert tried.counts["combine 4", " log"] == [3, 0]  # of another log it is expected all the same
    assert tried.counts["", ""] == [3, 1]  # what calls with values are worth counts each
