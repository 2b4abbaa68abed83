"""The durability benches, small: what is acknowledged is there, whoever writes and whoever dies."""

from lichen.agent.lab.bench.concurrent_writers import bench_concurrency
from lichen.agent.lab.bench.crash_kills import bench_crash


def test_writers_side_by_side_lose_double_and_hide_nothing() -> None:
    found = bench_concurrency(procs=3, ops=30, say=lambda _: None)
    ours, theirs = found["rows"]
    assert found["holds"]
    assert ours["writes"] == theirs["writes"] == 90


def test_killed_writers_lose_nothing_that_they_acknowledged() -> None:
    found = bench_crash(kills=3, seed=1, say=lambda _: None)
    (row,) = found["rows"]
    assert found["holds"], row
    assert row["acknowledged"] >= 3
    assert row["indexed"] == row["steps"] >= 9
