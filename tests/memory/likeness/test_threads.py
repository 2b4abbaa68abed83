"""Threads by what is free, and what the user has set stands."""

import os

import pytest

from lichen.memory.likeness.threads import PASSIVE, free_threads, wait_passively


@pytest.mark.parametrize(("load", "threads"), [(0.1, 4), (1.2, 3), (3.6, 1), (9.0, 1)])
def test_as_many_threads_as_cores_are_free(
    monkeypatch: pytest.MonkeyPatch, load: float, threads: int
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2, 3}, raising=False)
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0), raising=False)
    assert free_threads() == threads
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert free_threads() == 2


def test_what_the_user_has_set_about_waiting_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PASSIVE:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    wait_passively()
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE" and os.environ["GOMP_SPINCOUNT"] == "0"
    for name in PASSIVE:
        monkeypatch.delenv(name, raising=False)
