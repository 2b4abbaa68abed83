"""`lichen bench library`: processes that write the skill library are killed at random moments, several at once.

Afterwards every acknowledged version must be there, the files on disk must be what was committed last, and
the index must hold exactly the skills that there are (VOYAGER stops when they differ: MineDojo/Voyager#36).
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

from ....memory.likeness.embedder import HashingEmbedder
from ....skills.library import Library
from ....skills.skill_index import Vectored
from ....skills.types import Contract, Skill
from .machine import machine, version

LONGEST = 0.2
"""Seconds that a process lives after its first acknowledged write, at most."""
SHARED = 4
"""Skills that all writers change."""


def bench_library(
    *, kills: int = 500, writers: int = 3, seed: int = 0, say: Callable[[str], None] = print
) -> dict[str, Any]:
    """Kill and measure, and return the table.

    Args:
        kills: Processes that are killed.
        writers: Processes that write at the same time.
        seed: Of the moments.
        say: Told what is going on.

    Returns:
        `{"bench", "version", "machine", "rows", "ratio", "holds"}`; `ratio` is acknowledged writes a kill.
    """
    rng = np.random.default_rng(seed)
    acknowledged: dict[str, int] = {}
    differing = damaged = done = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "library"
        Library(folder)
        while done < kills:
            now = min(writers, kills - done)
            for skill, number in _killed(folder, [float(x) for x in rng.uniform(0, LONGEST, now)]):
                acknowledged[skill] = max(acknowledged.get(skill, 0), number)
            done += now
            library = Library(folder)
            differing += len(library.edited())
            found = library.all()
            damaged += len(library.broken)
            if done % 60 < now:
                say(f"{done} of {kills} killed, {len(library.history())} commits")
        lost = [
            skill
            for skill, number in acknowledged.items()
            if skill not in found or found[skill].contract.version < number
        ]
        index = Vectored(folder, HashingEmbedder())
        index.hold(found)
        again = index.hold(found)
        index.close()
        commits = len(Library(folder).history())
    row = {
        "what": f"killed while {writers} wrote",
        "kills": kills,
        "commits": commits,
        "skills": len(found),
        "acknowledged and lost": len(lost),
        "damaged": damaged,
        "files that differ from the commit": differing,
        "index corrections on second opening": sum(again),
    }
    return {
        "bench": "library",
        "version": version(),
        "machine": machine(),
        "rows": [row],
        "ratio": commits / kills,
        "holds": not lost and not damaged and not differing and not sum(again),
    }


def _killed(folder: Path, after: list[float]) -> list[tuple[str, int]]:
    """Let processes write, kill each some time after its first write, return what they acknowledged."""
    # One server imports everything once, and each writer is a fork of it: a start costs milliseconds.
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    running = []
    for number, wait in enumerate(after):
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_write, args=(str(folder), number, theirs))
        process.start()
        theirs.close()
        running.append((process, ours, wait))
    found: list[tuple[str, int]] = []
    for process, ours, wait in running:
        try:
            found.append(ours.recv())
            time.sleep(wait)
            if process.pid is not None:
                os.kill(process.pid, signal.SIGKILL)
            while True:
                found.append(ours.recv())
        except EOFError:
            pass
        finally:
            process.join()
            ours.close()
    return found


def _write(folder: str, number: int, out: Connection) -> None:
    """Write one version after another, and say of each that it is stored."""
    library = Library(Path(folder))
    for i in range(10_000):
        name = f"shared-{i % SHARED}" if i % 2 else f"own-{number}"
        with library.lock():
            old = library.all().get(name)
            skill = _skill(name, old.contract.version + 1 if old is not None else 1)
            library.put([skill], message=f"Write {skill.id}", author="agent")
        out.send((name, skill.contract.version))


def _skill(name: str, number: int) -> Skill:
    function = name.replace("-", "_")
    return Skill(
        name=name,
        description=f"Version {number} of {name}.",
        code=f"def {function}(api: API) -> bool:\n    return {number} > 0\n",
        contract=Contract(env="bench", version=number, postconditions=("won",)),
    )
