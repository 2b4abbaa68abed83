"""The search for a playbook with a scripted model: what helps is promoted, what does not is not."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from lichen.agent.llm import ScriptedLLM
from lichen.agent.open_agent import OpenAgent
from lichen.agent.playbook.playbook_search import PlaybookFound, search_playbook
from lichen.agent.playbook.rules import bullets_in, shuffled
from lichen.envs import UsageError, load_suite
from lichen.memory.store.demonstrations import from_gold, import_demonstrations
from lichen.memory.store.playbook import bullets_of
from lichen.memory.told.playbook_text import playbook_text

SUITE = load_suite("alfworld-mini").model_copy(update={"max_steps": 12})
RULE = "Do what an expert does."
LICHEN = [sys.executable, "-m", "lichen.agent"]


def searched(
    folder: Path, replies: Sequence[str], *, heeds: str
) -> tuple[PlaybookFound, list[str]]:
    """Search with a model that plays well when its prompt has `heeds` in it, and badly otherwise."""
    gold: dict[str, tuple[str, ...]] = {}

    def choose(prompt: str, options: Sequence[str]) -> list[float]:
        goal = next((goal for goal in gold if goal in prompt), "")
        done = [line for line in prompt.splitlines() if line.startswith("Good action: ")]
        left = gold.get(goal, ())[len(done) :]
        good = f" {left[0]}\n" if heeds in prompt and left else ""
        return [0.0 if option == good else -9.0 - number for number, option in enumerate(options)]

    options: dict[str, Any] = {
        "store": folder,
        "embedder": "hashing",
        "policy": {"value": False, "shown": 0},
    }
    llm = ScriptedLLM(list(replies), choose)
    with OpenAgent.from_config(None, llm=llm, **options) as agent:
        environment = agent.environment(SUITE)
        ids = SUITE.task_ids("train", 8, 0, environment)
        shown = list(from_gold(environment, ids))
        gold |= {one.goal: one.actions for one in shown}
        import_demonstrations(agent.store, shown, run="gold")
        agent.store.settle()
        found = search_playbook(agent, SUITE, calls=10)
        kept = [bullet.text for bullet in bullets_of(agent.store)]
        if kept:
            assert all(bullet.evidence and bullet.gain for bullet in bullets_of(agent.store))
            parts = agent.parts(environment, ids[0], memory=None)
            assert RULE not in parts.policy.voice.instructions  # type: ignore[union-attr]
    return found, kept


def test_rules_that_help_held_out_tasks_are_promoted_scripted(tmp_path: Path) -> None:
    found, kept = searched(tmp_path, [f"- {RULE}\n- Be quick."] * 9, heeds=RULE)
    assert found.promoted and found.gain is not None and found.gain[1] > 0
    assert found.over_placebo is not None and found.over_placebo > 0
    assert kept == [RULE, "Be quick."]
    listed = subprocess.run(
        [*LICHEN, "memory", "playbook", "ls", "--store", str(tmp_path)],
        capture_output=True,
        text=True,
    )
    assert RULE in listed.stdout, listed.stderr


def test_rules_whose_words_alone_do_it_are_not_promoted_scripted(tmp_path: Path) -> None:
    found, kept = searched(tmp_path, ["- expert"] * 9, heeds="expert")
    assert found.over_placebo == 0  # one word cannot be shuffled: the placebo does as well
    assert not found.promoted and kept == []


def test_a_model_that_writes_nothing_leaves_the_playbook_as_it_is_scripted(tmp_path: Path) -> None:
    found, kept = searched(tmp_path, ["I do not know."] * 9, heeds=RULE)
    assert found.gain is None and not found.promoted and kept == []


def test_too_few_tasks_and_no_model_are_said(tmp_path: Path) -> None:
    with (
        OpenAgent.from_config(None, store=tmp_path, embedder="hashing", llm=ScriptedLLM()) as agent,
        pytest.raises(UsageError, match="0 training tasks"),
    ):
        search_playbook(agent, SUITE, calls=4)
    options = {"store": tmp_path, "embedder": "hashing", "policy": {"llm": False}}
    without = OpenAgent.from_config(None, **options)  # type: ignore[arg-type]
    with without as agent, pytest.raises(UsageError, match="none is asked"):
        search_playbook(agent, SUITE, calls=4)


def test_a_playbook_as_text_and_back() -> None:
    rules = ["Open it first.", "Then look </s>."]
    text = playbook_text(rules)
    assert text.splitlines()[1:] == ["- Open it first.", "- Then look ‹/s>."]
    assert bullets_in(text, 8) == ["Open it first.", "Then look ‹/s>."]
    assert playbook_text([]) == ""


def test_a_placebo_has_the_same_words_in_another_order() -> None:
    import numpy as np

    rules = ["one two three four", "five six"]
    mixed = shuffled(rules, np.random.default_rng(0))
    assert sorted(" ".join(mixed).split()) == sorted(" ".join(rules).split())
    assert [len(rule.split()) for rule in mixed] == [4, 2] and mixed != rules
