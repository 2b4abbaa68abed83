"""`lichen bench crash`: a process that learns is killed at random moments, again and again.

Afterwards everything it had acknowledged must be in the ledger, unchanged, and the projection and the index
must agree with it.
"""

import os
import signal
import tempfile
import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from ....memory.forgetting.explain import verify_store
from ....memory.ledger.events import EpisodeEnded, EpisodeStarted, Event, Stepped
from ....memory.ledger.ledger import Entry
from ....memory.ledger.records import StepCase
from ....memory.likeness.embedder import HashingEmbedder
from ....memory.store.replay import replay
from ....memory.store.store import Store
from .machine import machine, version

LONGEST = 0.15
"""Seconds that a process lives after its first acknowledged episode, at most."""
STEPS = 3


def bench_crash(
    *, kills: int = 200, seed: int = 0, say: Callable[[str], None] = print
) -> dict[str, Any]:
    """Kill and measure, and return the table.

    Args:
        kills: Processes that are killed.
        seed: Of the moments.
        say: Told what is going on.

    Returns:
        `{"bench", "version", "machine", "rows", "ratio", "holds"}`; `ratio` is acknowledged episodes a kill.
    """
    rng = np.random.default_rng(seed)
    acknowledged: set[str] = set()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "store"
        for number in range(kills):
            acknowledged |= _killed(folder, number, float(rng.uniform(0, LONGEST)))
            if (number + 1) % 50 == 0:
                say(f"{number + 1} of {kills} killed, {len(acknowledged)} episodes acknowledged")
        with Store(folder, embedder=HashingEmbedder()) as store:
            indexed = len(store.index(StepCase))
            repaired = len(store.repaired)
            held = {case.episode for case in store.episodes.values()}
            damaged = len(store.ledger.damage())
            steps, state = len(store.steps), store.state_hash()
        problems = len(verify_store(folder).problems)
        same = replay(folder, compare=True).state_hash == state
    row = {
        "what": "killed while it learned",
        "kills": kills,
        "acknowledged": len(acknowledged),
        "lost": len(acknowledged - held),
        "damaged": damaged,
        "steps": steps,
        "indexed": indexed,
        "problems": problems,
        "repairs at the end": repaired,
        "replay": "same" if same else "DIFFERS",
    }
    holds = same and indexed == steps and not (acknowledged - held) and not damaged + problems
    return {
        "bench": "crash",
        "version": version(),
        "machine": machine(),
        "rows": [row],
        "ratio": len(acknowledged) / kills,
        "holds": holds,
    }


def _killed(folder: Path, number: int, after: float) -> set[str]:
    """Let a process learn, kill it `after` its first episode, and return what it acknowledged."""
    context = get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_learn, args=(str(folder), number, theirs))
    process.start()
    theirs.close()
    found: set[str] = set()
    try:
        found.add(ours.recv())
        time.sleep(after)
        if process.pid is not None:
            os.kill(process.pid, signal.SIGKILL)
        while True:
            found.add(ours.recv())
    except EOFError:
        return found
    finally:
        process.join()
        ours.close()


def _learn(folder: str, number: int, out: Connection) -> None:
    """Learn one small episode after another, and say of each that it is stored."""
    with Store(folder, embedder=HashingEmbedder()) as store:
        _ = store.index(StepCase)  # open, so that a kill also hits the index's writes
        for i in range(10_000):
            episode = f"{number}-{i}"
            store.append(_episode(episode))
            store.absorb()
            out.send(episode)


def _episode(name: str) -> list[Entry]:
    goal = "take the coin, put it in the box"
    started = EpisodeStarted(
        env="crash", family="crash", split="train", task_id=f"crash/{name}", goal=goal, source="own"
    )
    steps = [
        Stepped(
            step=i,
            goal=goal,
            text=f"You are in room {i} of house {name}. You see a coin.",
            inventory="",
            recent=(),
            action=f"go to room {i + 1}",
            observation="Done.",
            score_before=i / STEPS,
            score_after=(i + 1) / STEPS,
        )
        for i in range(STEPS)
    ]
    ended = EpisodeEnded(outcome="success", score=1.0, steps=STEPS)
    events: list[tuple[str, Event]] = [
        ("start", started),
        *((f"step-{s.step}", s) for s in steps),
        ("end", ended),
    ]
    return [Entry(f"{name}/{what}", "crash", name, event) for what, event in events]
