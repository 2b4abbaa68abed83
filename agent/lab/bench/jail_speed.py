"""`lichen bench jail`: what a run in the jail costs, cold and from the pool, beside a bare interpreter."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from ....skills.jail import Jail, Program, open_jail
from ..kernel.timings import percentiles
from .machine import machine, version

COLD, WARM = 60.0, 10.0
"""Milliseconds that the median of a cold start and of a call to a waiting child may take."""
PAUSE = 0.02
"""Seconds between two measured runs, so that what was ended is gone."""

_PROGRAM = Program(
    entry="double@1",
    modules={"double@1": "def double(api, n: int) -> int:\n    return api.add(n, n)\n"},
    functions={"double@1": "double"},
    api=("add",),
)


def bench_jail(
    *,
    runs: int = 100,
    warm: int = 4,
    level: str | None = None,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Measure and return the table.

    Args:
        runs: Of each kind.
        warm: Children in the pool; it is full again before each measured call.
        level: Of the jail.
        say: Told what is going on.

    Returns:
        `{"bench", "version", "machine", "rows", "ratio", "holds"}`; times in milliseconds, `ratio` is the
        cold median over the warm one.
    """
    say(f"{runs} interpreters that do nothing")
    bare = _times(runs, _bare)
    say(f"{runs} cold runs: start, walls, one program with one call to the broker, end")
    with open_jail(level) as jail:
        cold = _times(runs, lambda: _once(jail))
    say(f"{runs} warm runs: the same in a child that waited ready")
    with open_jail(level, warm=warm) as jail:
        hot = _times(runs, lambda: _once(jail), jail.settle)
        begun = time.perf_counter()
        for _ in range(runs):
            _once(jail)
        each = (time.perf_counter() - begun) * 1000 / runs
        walls = ", ".join(jail.walls)
    rows = [
        _row("bare interpreter", bare),
        _row("cold run", cold),
        _row("warm run", hot),
        {"what": "runs without a pause, pool included", "runs": runs, "mean": each},
    ]
    p50 = {row["what"]: row.get("p50", 0.0) for row in rows}
    return {
        "bench": "jail",
        "version": version(),
        "machine": machine(),
        "walls": walls,
        "rows": rows,
        "ratio": p50["cold run"] / p50["warm run"],
        "holds": p50["cold run"] < COLD and p50["warm run"] < WARM,
    }


def _once(jail: Jail) -> None:
    ran = jail.run(_PROGRAM, {"n": 21}, lambda method, args, kwargs: 42)
    if ran.value != 42:
        raise RuntimeError(f"the run ended as {ran.end}: {ran.error}")


def _bare() -> None:
    python = getattr(sys, "_base_executable", "") or sys.executable
    subprocess.run([python, "-I", "-S", "-B", "-c", ""], check=True, env={})


def _times(
    runs: int, run: Callable[[], None], before: Callable[[], object] = lambda: None
) -> list[float]:
    """Return milliseconds of each run."""
    found = []
    for _ in range(runs):
        before()
        time.sleep(PAUSE)
        begun = time.perf_counter()
        run()
        found.append((time.perf_counter() - begun) * 1000)
    return found


def _row(what: str, times: list[float]) -> dict[str, Any]:
    p50, p95 = percentiles(times)
    return {
        "what": what,
        "runs": len(times),
        "p50": p50,
        "p95": p95,
        "mean": statistics.fmean(times),
    }
