"""How many threads compute here, and that those which wait do not spin.

Threads of OpenMP wait for each other at every layer of a model. Where a neighbour keeps a core busy, all wait
for the one that has none, and by default they spin meanwhile and take the core from it. Measured by
`lichen bench threads`.
"""

import os

PASSIVE = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0", "KMP_BLOCKTIME": "0"}
"""Said to the OpenMP libraries before they are loaded; what the user has set stands."""


def wait_passively() -> None:
    """Let waiting threads sleep. Call it before torch is imported."""
    for name, value in PASSIVE.items():
        os.environ.setdefault(name, value)


def free_threads() -> int:
    """Return how many threads to compute with: $OMP_NUM_THREADS, else the cores that nobody else keeps busy."""
    named = os.environ.get("OMP_NUM_THREADS", "")
    if named.isdigit() and int(named) > 0:
        return int(named)
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    try:
        busy = round(os.getloadavg()[0])
    except (OSError, AttributeError):  # not on every system
        busy = 0
    return max(1, cores - busy)
