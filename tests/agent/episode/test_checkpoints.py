"""A damaged checkpoint file costs only the resume; one file serves many episodes at once."""

import asyncio
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver, empty_checkpoint

from lichen.agent.episode.checkpoints import open_graph
from lichen.agent.open_agent import OpenAgent
from lichen.memory.store.made_from import remove_derived


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


@pytest.mark.parametrize(("loops", "tasks"), [(1, 4), (4, 1), (2, 2)])
def test_episodes_open_one_stores_checkpoints_at_once(
    tmp_path: Path, loops: int, tasks: int
) -> None:
    """In one event loop or in threads with a loop each; every time in a new store."""

    async def episode(folder: Path, name: str, opened: threading.Barrier) -> None:
        async with open_graph(folder) as graph:
            await asyncio.to_thread(opened.wait, 60)
            config: RunnableConfig = {"configurable": {"thread_id": name, "checkpoint_ns": ""}}
            assert not (await graph.aget_state(config)).values
            assert isinstance(graph.checkpointer, BaseCheckpointSaver)
            await graph.checkpointer.aput(config, empty_checkpoint(), {}, {})
            assert await graph.checkpointer.aget_tuple(config)

    async def several(folder: Path, loop: int, opened: threading.Barrier) -> None:
        await asyncio.gather(*(episode(folder, f"{loop}-{n}", opened) for n in range(tasks)))

    with ThreadPoolExecutor(loops) as pool:
        for store in range(15):
            folder, opened = tmp_path / str(store), threading.Barrier(loops * tasks)
            done = [
                pool.submit(asyncio.run, several(folder, loop, opened)) for loop in range(loops)
            ]
            assert [one.exception() for one in done] == [None] * loops


def test_forgetting_may_take_the_folder_at_any_moment(tmp_path: Path) -> None:
    """Someone forgets on the page, while requests begin."""
    over = threading.Event()

    def forgets() -> int:
        removed = 0
        while not over.is_set():
            removed += len(remove_derived(tmp_path, "an-episode"))
        return removed

    async def begins() -> None:
        for number in range(60):
            async with open_graph(tmp_path) as graph:
                config: RunnableConfig = {"configurable": {"thread_id": str(number)}}
                assert not (await graph.aget_state(config)).values

    with ThreadPoolExecutor(1) as pool:
        removed = pool.submit(forgets)
        try:
            asyncio.run(begins())
        finally:
            over.set()
        assert removed.result(60) > 10
