"""Environments that are opened once keep the step cap that was asked for."""

import asyncio
import os
import signal
from pathlib import Path

import numpy as np

from lichen.agent.open_agent import OpenAgent


def agent(folder: Path, llm: object = None, **options: object) -> OpenAgent:
    return OpenAgent.from_config(store=folder, embedder="hashing", llm=llm, **options)  # type: ignore[arg-type]


async def interrupted() -> np.ndarray:
    """Ctrl-C, while something is awaited."""
    os.kill(os.getpid(), signal.SIGINT)
    await asyncio.sleep(5)
    raise AssertionError("nobody heard the interrupt")


TASK = "alfworld-mini/test/look_at_obj_in_light-Book-None-Desk-5/mini_test_5"


def test_the_step_cap_of_a_task_does_not_depend_on_what_was_run_before(tmp_path: Path) -> None:
    with agent(tmp_path, policy={"llm": False}) as run:
        own = run.environment(None, TASK).max_steps
        run.run(TASK, max_steps=3)
        assert run.environment(None, TASK).max_steps == own != 3
