"""What the text tells to do is done, whatever it is: a rule that cases of other things show."""

from pathlib import Path
from typing import Any

import pytest

from lichen.agent.open_agent import OpenAgent
from lichen.envs import load_suite
from lichen.memory.likeness.grounding import TOLD, ground
from lichen.memory.store.demonstrations import from_gold, import_demonstrations


@pytest.mark.parametrize(
    ("action", "text", "told"),
    [
        ("take plum", "The current task is to take the plum.", True),
        ("take plum", "You take the plum.", False),  # that was done just now
        ("take plum", "You see a plum.", False),
        ("craft stick", "Recipes: craft stick using wood; craft bowl using wood", False),
        ("clap", "Simon says, 'clap'.", False),  # one word is said everywhere
    ],
)
def test_an_action_is_told_by_its_very_words_alone(action: str, text: str, told: bool) -> None:
    assert (ground(action, text, "do as the book says") == TOLD) is told


@pytest.mark.parametrize("family", ["simonsays", "peckingorder"])
def test_three_games_show_to_do_what_one_is_told(tmp_path: Path, family: str) -> None:
    suite = load_suite("twx-all").model_copy(update={"families": (family,)})
    settings: dict[str, Any] = {"store": tmp_path, "embedder": "hashing", "policy": {"llm": False}}
    with OpenAgent.from_config(**settings) as agent:
        environment = agent.environment(suite)
        won = agent.run(f"twx/{family}/dev/1", max_steps=20).outcome
        shown = suite.task_ids("train", 3, 0, environment)
        import_demonstrations(agent.store, from_gold(environment, shown), run="gold")
        agent.store.settle()
        known = [agent.run(f"twx/{family}/dev/{n}", max_steps=20).outcome for n in (1, 2)]
    assert (won, known) == ("failure", ["success", "success"])
