"""Runs in the ledger: outages are tried again, and an open run keeps its model."""

import asyncio
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lichen.agent.llm import ScriptedLLM
from lichen.agent.llm.errors import FingerprintChanged
from lichen.agent.open_agent import OpenAgent
from lichen.memory.ledger.events import EpisodeEnded, EpisodeStarted, RunEnded, RunStarted


def agent(folder: Path, llm: object = None, **options: object) -> OpenAgent:
    return OpenAgent.from_config(store=folder, embedder="hashing", llm=llm, **options)  # type: ignore[arg-type]


async def interrupted() -> np.ndarray:
    """Ctrl-C, while something is awaited."""
    os.kill(os.getpid(), signal.SIGINT)
    await asyncio.sleep(5)
    raise AssertionError("nobody heard the interrupt")


def test_the_same_task_is_tried_again_after_an_outage_and_then_the_run_is_over(
    tmp_path: Path, down_llm: Any
) -> None:
    with agent(tmp_path, down_llm) as run:
        first = run.learn("alfworld-mini", episodes=1)
    down_llm.down = False
    with agent(tmp_path, down_llm) as run:
        second = run.learn("alfworld-mini", episodes=1)
        third = run.learn("alfworld-mini", episodes=1)
        assert len(run.store.episodes) == 2
    assert first.episodes[0].outcome == "unknown"
    assert second.episodes[0].outcome != "unknown"
    assert second.run == first.run
    assert second.episodes[0].task_id == first.episodes[0].task_id
    assert second.episodes[0].episode != first.episodes[0].episode
    assert third.episodes[0].task_id != second.episodes[0].task_id


class Named(ScriptedLLM):
    """A model with a fingerprint of its own."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    async def fingerprint(self) -> str:
        return self.name


def test_an_open_run_does_not_go_on_with_another_model(tmp_path: Path) -> None:
    class Stops(Named):
        async def choose(self, prompt: str, options: Sequence[str]) -> np.ndarray:
            return await interrupted()

    with agent(tmp_path, Stops("first")) as run, pytest.raises(KeyboardInterrupt):
        run.learn("alfworld-mini", episodes=1)
    with agent(tmp_path, Named("second")) as run:
        with pytest.raises(FingerprintChanged, match="first.*second"):
            run.learn("alfworld-mini", episodes=1)
        # with other settings it is another run, which may have another model
        assert run.learn("alfworld-mini", episodes=2).fingerprint_after == "second"


TASK = "alfworld-mini/test/look_at_obj_in_light-Book-None-Desk-5/mini_test_5"


def test_one_task_goes_on_where_it_stopped_and_is_stored_with_its_fingerprint(
    tmp_path: Path,
) -> None:
    class StopsOnce(ScriptedLLM):
        asked = 0

        async def choose(self, prompt: str, options: Sequence[str]) -> np.ndarray:
            self.asked += 1
            if self.asked == 4:
                await interrupted()
            return await super().choose(prompt, options)

    llm = StopsOnce()
    steps: list[str] = []
    with agent(tmp_path, llm) as run:
        with pytest.raises(KeyboardInterrupt):
            run.run(TASK, max_steps=6)
        result = run.run(TASK, max_steps=6, on_event=lambda node, _: steps.append(node))
        rows = [row.event for row in run.store.ledger.read()]
    assert result.steps == 6
    assert steps.count("observe") == 3  # three of the six were done before
    assert sum(isinstance(event, EpisodeStarted) for event in rows) == 1
    assert sum(isinstance(event, EpisodeEnded) for event in rows) == 1
    assert [e.fingerprint for e in rows if isinstance(e, RunStarted | RunEnded)] == ["scripted"] * 2
