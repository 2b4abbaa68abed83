"""Gold trajectories win, and a wrong one is found."""

from lichen.envs import (
    make,
)
from lichen.envs.verify import sample, verify


def test_the_gold_trajectories_of_our_own_games_win() -> None:
    environment = make("alfworld-mini")
    report = verify(environment, sample(environment, ["train", "dev", "test"], None))
    assert report.holds
    assert report.tried == {"train": 10, "dev": 6, "test": 6}
    assert len(report.by_family) == 6


def test_a_wrong_gold_trajectory_is_found() -> None:
    environment = make("alfworld-mini")
    task = environment.tasks("test")[0]
    environment.gold = lambda: ("look", "look")  # type: ignore[method-assign]
    assert verify(environment, [task]).lost == (task.id,)
