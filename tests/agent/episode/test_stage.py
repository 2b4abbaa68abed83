"""The stage: in step with the actions, whatever was played before, and honest about a replay that differs."""

import pytest

from lichen.agent.episode.stage import Stage, digest_of
from lichen.envs import Environment, EnvironmentFault, make


@pytest.fixture
def environment() -> Environment:
    """The small household."""
    return make("alfworld-mini")


def test_a_second_stage_comes_to_the_same_place_from_the_actions_alone(
    environment: Environment,
) -> None:
    task = environment.tasks("train")[0].id
    first = Stage(environment, task, seed=0)
    first.sync([])
    for action in (environment.gold() or ())[:3]:
        played = first.play(action)
        assert (played.action, played.done.observation) == (action, first.seen)
    trail, seen = list(first.actions), first.seen
    assert len(trail) == 3 and len(first.observations) == 4
    again = Stage(make("alfworld-mini"), task, seed=0)
    assert again.sync(trail, digest=digest_of(seen)) == seen
    assert again.history == first.history and again.working.tried == first.working.tried


def test_it_begins_anew_only_where_other_actions_were_played(environment: Environment) -> None:
    stage = Stage(environment, environment.tasks("train")[0].id, seed=0)
    first = stage.sync([])
    action = (first.admissible or ())[0]
    stage.play(action)
    seen = stage.seen
    assert stage.sync([action]) is seen  # nothing was played again
    assert stage.sync([]) == first and stage.actions == [] and not stage.ended


def test_a_replay_that_comes_to_another_place_is_a_fault(environment: Environment) -> None:
    stage = Stage(environment, environment.tasks("train")[0].id, seed=0)
    first = stage.sync([])
    action = (first.admissible or ())[0]
    with pytest.raises(EnvironmentFault, match="did not come to the same place"):
        Stage(environment, stage.task_id, seed=0).sync([action], digest="0" * 16)


def test_the_digest_does_not_mind_the_order_in_which_a_room_is_told(
    environment: Environment,
) -> None:
    seen = environment.reset(environment.tasks("train")[0].id)
    turned = " ".join(reversed(seen.text.split()))
    assert digest_of(seen) == digest_of(seen.model_copy(update={"text": turned}))
    assert digest_of(seen) != digest_of(seen.model_copy(update={"text": seen.text + " fire"}))
