"""Answers for people: one case, why a step was taken, exports, and whether everything still agrees.

Reads only; nothing is repaired here.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ...envs.types import Record
from ..kinds.module import RecordKind
from ..ledger.errors import UnknownCase
from ..ledger.events import EpisodeEnded, EpisodeStarted, Stepped
from ..ledger.ledger import Ledger, open_ledger
from ..ledger.records import MemoryRecord
from ..likeness.vector_index import VectorIndex
from ..store.demonstrations import DemonstratedStep, Demonstration
from ..store.indexes import item_of
from ..store.store import Store


class Verification(Record):
    """Whether ledger, case table and index agree."""

    events: int
    episodes: int
    steps: int
    state_hash: str
    problems: tuple[str, ...]


def find_case(store: Store, case_id: str) -> MemoryRecord:
    """Return the case whose id begins with `case_id`.

    Raises:
        UnknownCase: None does, or more than one.
    """
    found = [case for case in store.records() if case_id and case.id.startswith(case_id)]
    if len(found) != 1:
        count = "no case" if not found else f"{len(found)} cases"
        raise UnknownCase(f"{count} in {store.folder} has an id that begins with {case_id!r}")
    return found[0]


def export_events(ledger: Ledger, to: Path) -> tuple[int, list[str]]:
    """Write every sound row as one JSON line, exactly; return how many, and a sentence per damaged row.

    `row_checks.read_rows` and `Store.restore` make the same ledger of it again.
    """
    damaged = ledger.damage()
    sound = {row.seq for row in ledger.read() if not row.problem}
    lines = (json.dumps(row, ensure_ascii=False) for row in ledger.raw() if row["seq"] in sound)
    return _write(to, lines), damaged


def export_demonstrations(ledger: Ledger, to: Path) -> tuple[int, list[str]]:
    """Write every successful learned episode as a demonstration; return how many, and the damage."""
    damaged = ledger.damage()

    def lines() -> Iterator[str]:
        opened: dict[str, tuple[EpisodeStarted, list[Stepped]]] = {}
        for row in ledger.read():
            match row.event:
                case EpisodeStarted():
                    opened[row.episode] = (row.event, [])
                case Stepped() if row.episode in opened:
                    opened[row.episode][1].append(row.event)
                case EpisodeEnded() if row.episode in opened:
                    started, steps = opened.pop(row.episode)
                    if row.event.outcome == "success" and row.event.learn and steps:
                        yield _demonstration(started, steps, row.event).model_dump_json()

    return _write(to, lines()), damaged


def _demonstration(
    started: EpisodeStarted, steps: list[Stepped], ended: EpisodeEnded
) -> Demonstration:
    return Demonstration(
        env=started.env,
        family=started.family,
        split=started.split,
        task_id=started.task_id,
        goal=started.goal,
        outcome=ended.outcome,
        score=ended.score,
        steps=tuple(
            DemonstratedStep(
                text=step.text,
                inventory=step.inventory,
                action=step.action,
                offered=step.offered,
                observation=step.observation,
                score_before=step.score_before,
                score_after=step.score_after,
                goal=step.goal if step.goal != started.goal else None,
                call=step.call,
                error=step.error,
                request=step.request,
            )
            for step in steps
        ),
    )


def _write(to: Path, lines: Iterator[str]) -> int:
    count = 0
    to.parent.mkdir(parents=True, exist_ok=True)
    with to.open("w", encoding="utf-8") as file:
        for line in lines:
            file.write(line + "\n")
            count += 1
    return count


def verify_store(folder: Path) -> Verification:
    """Fold the ledger again and compare it with the case table and, where there is one, the index.

    Nothing is repaired. Damage of the ledger is reported, not raised.
    """
    ledger = open_ledger(folder)
    problems = ledger.damage()
    if problems:
        return Verification(
            events=ledger.head(), episodes=0, steps=0, state_hash="-", problems=tuple(problems)
        )
    with Store(folder, read_only=True, snapshot=False) as store:
        problems += [*store.fold.set_aside.values(), *store.table_damage()]
        if (folder / "index").exists():
            for kind in store.held.kinds.values():
                if kind.indexed:
                    problems += _index_problems(store, kind)
        return Verification(
            events=ledger.head(),
            episodes=len(store.episodes),
            steps=len(store.steps),
            state_hash=store.state_hash(),
            problems=tuple(problems),
        )


def _index_problems(store: Store, kind: RecordKind[Any]) -> list[str]:
    name = kind.collection(store.embedder.name)
    index = VectorIndex(store.folder / "index", name)
    try:
        held = {item.id: item for item in index.items()}
        if not held:  # an index that was never used is made at its first use
            return []
        by_id = store.held(kind.record)
        wanted = {i: item_of(case) for i, case in by_id.items()}
        found = [f"index {name} lacks case {i}" for i in sorted(wanted.keys() - held)]
        found += [f"index {name} holds unknown case {i}" for i in sorted(held.keys() - wanted)]
        both = sorted(held.keys() & wanted.keys())
        found += [f"index {name} misplaces case {i}" for i in both if held[i] != wanted[i]]
        stored = index.vectors(both)
        right = kind.encode([by_id[i] for i in both], store.embedder) if both else ()
        for i, vector in zip(both, right, strict=True):
            if not np.allclose(stored[i], vector, atol=1e-4):
                found.append(f"index {name} has another vector of case {i}")
        return found
    finally:
        index.close()
