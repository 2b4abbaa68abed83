"""`lichen bench pages`: how long the pages of the inspector take with many cases; the bar is 300 ms."""

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ....memory.ledger.ledger import Entry
from ....memory.likeness.embedder import HashingEmbedder
from ....memory.store.store import Store
from ...config import load_config
from ...doors.inspector.inspector_app import inspector_app
from ...doors.inspector.seen.inspected import Inspected
from ..kernel.timings import percentiles
from .household_goals import episode, goals
from .machine import machine, version

BAR_MS = 300.0
PATHS = (
    "/",
    "/episodes",
    "/episodes?q=mug",
    "/episodes?before=50000",
    "/episodes/{episode}",
    "/memory",
    "/memory?grain=steps",
    "/memory?q=clean+a+mug",
    "/memory/{episode}",
    "/tools",
    "/skills",
    "/settings",
)
_BATCH = 2_000


def bench_pages(*, cases: int, rounds: int, say: Callable[[str], None] = print) -> dict[str, Any]:
    """Fill a store with step cases, ask every page several times, and return what it took.

    Args:
        cases: Step cases at least.
        rounds: Times that each page is asked, after once to warm up.
        say: Told what goes on.

    Returns:
        `rows` with `what`, `n`, `p50_ms`, `p95_ms`; `holds`: whether every p95 is below the bar.
    """
    from starlette.testclient import TestClient

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "store"
        say(f"filling a store with {cases:,} step cases")
        names = _fill(root, cases)
        config = load_config(None, store=root, embedder="hashing")
        inspected = Inspected(config, HashingEmbedder())
        began = time.perf_counter()
        with TestClient(inspector_app(inspected), base_url="http://127.0.0.1") as client:
            client.get("/")
            opening = time.perf_counter() - began
            rows = [
                _measured(client, path, path.format(episode=names[len(names) // 2]), rounds)
                for path in PATHS
            ]
        inspected.close()
    return {
        "bench": "pages",
        "version": version(),
        "machine": machine(),
        "cases": cases,
        "opening_s": round(opening, 2),
        "bar_ms": BAR_MS,
        "rows": rows,
        "holds": all(row["p95_ms"] < BAR_MS and row["status"] == 200 for row in rows),
    }


def _measured(client: Any, what: str, path: str, rounds: int) -> dict[str, Any]:
    status = client.get(path).status_code
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        client.get(path)
        took.append((time.perf_counter() - began) * 1000)
    p50, p95 = percentiles(took)
    return {"what": what, "n": rounds, "p50_ms": p50, "p95_ms": p95, "status": status}


def _fill(folder: Path, cases: int) -> Sequence[str]:
    rng = np.random.default_rng(0)
    names: list[str] = []
    entries: list[Entry] = []
    steps = 0
    drawn = goals(rng, set())
    with Store(folder, embedder=HashingEmbedder()) as store:
        while steps < cases:
            made = episode(rng, len(names), next(drawn))
            names.append(made[0].episode)
            steps += sum(entry.event.type == "stepped" for entry in made)
            entries += made
            if len(entries) > _BATCH or steps >= cases:
                store.append(entries)
                store.absorb()
                entries = []
    return names
