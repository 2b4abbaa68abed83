"""TextWorldExpress: what its own gold agents leave to chance is drawn from the task here."""

import pytest

from lichen.envs import make


@pytest.mark.parametrize("game", ["coin", "twc"])
def test_a_gold_agent_that_walks_at_random_walks_the_same_way_again_and_wins(game: str) -> None:
    games = make("twx")
    for number in range(3):
        task = f"twx/{game}/train/{number}"
        paths = []
        for _ in range(2):
            games.reset(task)
            paths.append(games.gold() or ())
        assert paths[0] == paths[1]
        games.reset(task)
        won = False
        for action in paths[0]:
            done = games.step(action)
            won = done.observation.won
            if done.terminated:
                break
        assert won
