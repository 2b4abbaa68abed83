"""A damaged checkpoint file costs only the resume."""

import asyncio
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from lichen.agent.open_agent import OpenAgent


def agent(folder: Path, llm: object = None, **options: object) -> OpenAgent:
    return OpenAgent.from_config(store=folder, embedder="hashing", llm=llm, **options)  # type: ignore[arg-type]


async def interrupted() -> np.ndarray:
    """Ctrl-C, while something is awaited."""
    os.kill(os.getpid(), signal.SIGINT)
    await asyncio.sleep(5)
    raise AssertionError("nobody heard the interrupt")


def test_a_damaged_checkpoint_file_is_set_aside_and_costs_only_the_resume(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with agent(tmp_path, policy={"llm": False}) as run:
        run.learn("alfworld-mini", episodes=1)
    (tmp_path / "checkpoints" / "checkpoints.sqlite").write_bytes(os.urandom(5000))
    for rest in tmp_path.glob("checkpoints/checkpoints.sqlite-*"):
        rest.unlink()
    with agent(tmp_path, policy={"llm": False}) as run:
        assert run.learn("alfworld-mini", episodes=1).episodes[0].outcome != "unknown"
    assert "moved to checkpoints.broken" in caplog.text
