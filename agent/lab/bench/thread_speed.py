"""`lichen bench threads`: what a decision takes beside busy neighbours, by how a model's threads wait.

Each side is a process of its own, since OpenMP reads its settings when it is loaded.
"""

import json
import os
import subprocess
import sys
from typing import Any

from ....memory.likeness.threads import PASSIVE
from .choice_speed import timed_row
from .machine import machine, version

SLOWER = 1.25
"""Lichen's own way may be so much slower than spinning threads on an idle machine."""
_BUSY = "while True: pass"
_MEASURE = """
import asyncio, json, sys, time
from lichen.agent.lab.bench.choice_speed import decisions
from lichen.agent.llm.local_llm import LocalLLM

async def main():
    llm, found = LocalLLM("smollm2-135m"), []
    await llm.choose("warm", [" up"])
    for prompt, options in decisions(int(sys.argv[1]), int(sys.argv[2])):
        start = time.perf_counter()
        await llm.choose(prompt, options)
        found.append(time.perf_counter() - start)
    await llm.close()
    print(json.dumps(found))

asyncio.run(main())
"""


def bench_threads(*, steps: int = 6, seed: int = 0) -> dict[str, Any]:
    """Measure three ways, alone and beside as many busy processes as there are cores.

    Args:
        steps: Decisions a side.
        seed: Of the walk that they are taken from.

    Returns:
        `{"bench", "version", "machine", "rows", "holds", ...}`; `holds` says whether Lichen's way is at most
        SLOWER times as slow as spinning threads alone, and faster beside neighbours.
    """
    cores = str(os.cpu_count() or 1)
    spinning = {**dict.fromkeys(PASSIVE, ""), "OMP_WAIT_POLICY": "ACTIVE"}
    ways = {
        "all cores, spinning": {"OMP_NUM_THREADS": cores, **spinning},
        "all cores, sleeping": {"OMP_NUM_THREADS": cores},
        "Lichen: cores that are free, sleeping": {},
    }
    rows, middle = [], {}
    for neighbours in (0, int(cores)):
        busy = [subprocess.Popen([sys.executable, "-c", _BUSY]) for _ in range(neighbours)]
        try:
            for way, more in ways.items():
                what = f"{way}; {neighbours} neighbours"
                rows.append(timed_row(what, _timed(steps, seed, more)))
                middle[way, neighbours] = rows[-1]["p50_ms"]
        finally:
            for process in busy:
                process.kill()
                process.wait()
    spins, _, ours = ways
    alone = middle[ours, 0] / middle[spins, 0]
    beside = middle[ours, int(cores)] / middle[spins, int(cores)]
    return {
        "bench": "threads",
        "version": version(),
        "machine": machine(),
        "rows": rows,
        "ratio": beside,
        "alone": alone,
        "holds": alone <= SLOWER and beside < 1.0,
    }


def _timed(steps: int, seed: int, more: dict[str, str]) -> list[float]:
    plain = {k: v for k, v in os.environ.items() if k not in {*PASSIVE, "OMP_NUM_THREADS"}}
    set_ = {k: v for k, v in more.items() if v}
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(steps), str(seed)],
        env={**plain, **set_},
        capture_output=True,
        text=True,
        timeout=1200,
        check=True,
    )
    found: list[float] = json.loads(done.stdout.splitlines()[-1])
    return found
