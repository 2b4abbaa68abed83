"""`lichen bench drift`: rules of half of the kinds of request change midway; how long is old memory followed?

The memory is the real one (`lichen.memory.Memory`, in a store); the reader is simulated: it does what the
nearest case that it is told did, where that went well, and else something that it was not told to have failed.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ....memory.ledger.records import MemoryRecord
from ....memory.memory import Memory
from ....memory.recall.case_memory import CaseMemory
from ....memory.recall.old_cases import OldCases
from ....memory.recall.retriever import RetrieverConfig
from ....memory.store.store import Store
from .machine import machine, version

KINDS = ("a parcel is lost", "an article is broken", "a delivery is late", "an address is wrong")
WAYS = ("refund", "credit", "resend", "apologise", "escalate")
CITIES = ("Oslo", "Rome", "Bonn", "Lyon", "Graz", "Kiel", "Bern", "Riga")
SLIPS = 0.1
"""Share of the requests in which the reader does anything."""
SEEDS = 4
WITHOUT, WITH, PLACEBO = "every case counts alike", "Lichen", "placebo: a fall at any moment"


class _NeverOld(OldCases):
    def is_old(self, record: MemoryRecord) -> bool:
        """Return False."""
        return False


class _OldAtRandom(OldCases):
    """Takes the place of what was noticed: in every kind of request everything before any moment is old."""

    def __init__(self, store: Store, ranks: Sequence[int]) -> None:
        super().__init__(store, lambda _: True)
        self._ranks = dict(zip(KINDS, ranks, strict=True))

    def is_old(self, record: MemoryRecord) -> bool:
        """Return whether it was learned before the moment of its kind, once that is past."""
        return record.rank < self._ranks[record.env] <= self._store.ranks


class _Told(Memory):
    """A memory that is told which cases are old."""

    old: OldCases | None = None

    def _view(self, namespace: str) -> CaseMemory:
        view = super()._view(namespace)
        if self.old is not None:
            view._old = self.old
        return view


def bench_drift(
    *, each: int = 40, seeds: int = SEEDS, seed: int = 0, say: Callable[[str], None] = print
) -> dict[str, Any]:
    """Measure success before and after the change, and return the table.

    Args:
        each: Requests of each of the KINDS, half of them before the change.
        seeds: Streams of each arm.
        seed: The first of them.
        say: Told what is going on.

    Returns:
        `{"bench", "version", "machine", "rows", "ratio", "holds"}`; `holds`: after the change there is
        more success where old cases are known as such, and where nothing changes nothing is lost.
    """
    rows: list[dict[str, Any]] = []
    for changes in (True, False):
        runs: dict[str, list[tuple[float, float, float]]] = {}
        for arm in (WITHOUT, WITH, PLACEBO):
            say(f"{seeds} streams of {each * len(KINDS)} requests, {arm} ...")
            runs[arm] = [_stream(arm, each, seed + i, changes=changes) for i in range(seeds)]
            found = np.array(runs[arm])
            gain = found[:, 1] - np.array(runs[WITHOUT])[:, 1]
            rows.append(
                {
                    "what": arm,
                    "the rules": "change" if changes else "stay",
                    "before": float(found[:, 0].mean()),
                    "after": float(found[:, 1].mean()),
                    "+-": float(found[:, 1].std()),
                    "gain after": float(gain.mean()),
                    "of changed kinds": float(found[:, 2].mean()),
                }
            )
    after = {(row["what"], row["the rules"]): row["after"] for row in rows}
    holds = after[WITH, "change"] > after[WITHOUT, "change"] + 0.03
    holds = holds and after[WITH, "stay"] > after[WITHOUT, "stay"] - 0.03
    return {
        "bench": "drift",
        "version": version(),
        "machine": machine(),
        "rows": rows,
        "ratio": after[WITH, "change"] / max(after[WITHOUT, "change"], 1e-9),
        "holds": bool(holds),
    }


def _stream(arm: str, each: int, seed: int, *, changes: bool) -> tuple[float, float, float]:
    """Return success before the middle, after it, and after it in the kinds whose rules changed."""
    rng = np.random.default_rng(seed)
    right = {kind: rng.permutation(len(WAYS))[:2] for kind in KINDS}
    changed = set(KINDS[::2]) if changes else set()
    random = rng.integers(each, size=len(KINDS)) * len(KINDS)
    solved: list[tuple[bool, bool, bool]] = []
    with TemporaryDirectory() as folder, Store(Path(folder)) as store:
        config = RetrieverConfig()
        memories = {kind: _Told(store, name=kind, config=config, seed=seed) for kind in KINDS}
        for memory in memories.values():
            if arm == WITHOUT:
                memory.old = _NeverOld(store, lambda _: True)
            elif arm == PLACEBO:
                memory.old = _OldAtRandom(store, random.tolist())
        for number in range(each):
            late = number >= each // 2
            for kind in KINDS:
                memory = memories[kind]
                where = CITIES[int(rng.integers(len(CITIES)))]
                said = f"In {where}, {kind}: order {int(rng.integers(1000, 9999))}"
                told = memory.recall(said, k=2)
                way = _read(store, [item.case for item in told.items if item.shown], rng)
                good = way == WAYS[right[kind][int(late and kind in changed)]]
                step = {"tool": "settle", "arguments": {"way": way}, "answer": "done"}
                memory.remember(told, [step], outcome="success" if good else "failure")
                solved.append((good, late, kind in changed))
    won, late_ones, in_changed = np.array(solved).T
    of_changed = late_ones & in_changed
    return (
        float(won[~late_ones].mean()),
        float(won[late_ones].mean()),
        float(won[of_changed].mean()) if of_changed.any() else float("nan"),
    )


def _read(store: Store, shown: Sequence[str], rng: np.random.Generator) -> str:
    """Return what the simulated reader does."""
    failed = set()
    cases = [case for name in shown if (case := store.episodes.get(name)) is not None]
    for case in cases:
        way = next(way for way in WAYS if way in case.actions[0])
        if case.outcome == "success" and rng.random() >= SLIPS:
            return way
        failed.add(way)
    left = [way for way in WAYS if way not in failed]
    return left[int(rng.integers(len(left)))]
