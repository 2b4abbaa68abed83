"""The house rules change: what is right for some tickets stays, for others it is the opposite."""

from collections import Counter

import pytest

from lichen.envs import UnknownName, make
from lichen.envs.support import drifting
from lichen.envs.support.rules import RULE_SETS
from lichen.envs.types import SPLITS
from lichen.envs.verify import sample, verify

CHANGED = {"broken", "contract", "late"}


def test_gold_of_either_rules_wins_its_own_tickets_and_loses_the_others_where_rules_changed() -> (
    None
):
    first, second = make("support"), make("support", rules="second")
    assert verify(second, sample(second, SPLITS, None)).holds
    for old, new in zip(sample(first, SPLITS, None), sample(second, SPLITS, None), strict=True):
        assert new.id == f"{old.id}/second" and new.family == old.family
        for learned, met in ((old, new), (new, old)):
            seen = first.reset(met.id)  # one environment has both
            before = seen.model_copy(update={"task": old})
            assert before == first.reset(old.id)  # nothing that is seen tells them apart
            first.reset(learned.id)
            calls = first.gold() or ()
            first.reset(met.id)
            done = [first.step(call) for call in calls][-1]
            assert done.terminated and not done.error
            assert done.observation.won == (met.family not in CHANGED)


def test_the_supervisor_says_the_rule_of_now() -> None:
    environment = make("support")
    for family in environment.families():
        said = []
        for suffix in ("", "/second"):
            environment.reset(f"support/test/{family}/0{suffix}")
            said.append(environment.step("finish(answer='Sorry.')").observation.text)
        words = [rules.words[family] for rules in RULE_SETS.values()]
        assert [text.split("House rule: ")[1] for text in said] == words
        assert (said[0] != said[1]) == (family in CHANGED)


def test_the_stream_changes_in_the_middle_and_goes_round_the_families() -> None:
    stream = drifting(1)
    assert stream == drifting(1) != drifting(2)
    assert [task.endswith("/second") for task in stream] == [False] * 30 + [True] * 30
    assert len({task.removesuffix("/second") for task in stream}) == 60
    environment = make("support")
    for half in (stream[:30], stream[30:]):
        assert set(Counter(environment.task(task).family for task in half).values()) == {5}
    twice = drifting(1, each=60)
    assert set(Counter(task.removesuffix("/second") for task in twice).values()) == {2}
    with pytest.raises(UnknownName, match="third"):
        make("support", rules="third")
