"""The state at any moment, folded again from the ledger: replay, as-of, difference."""

from datetime import datetime
from pathlib import Path

from ...envs.errors import UsageError
from ...envs.types import Record
from ..ledger.ledger import open_ledger
from ..ledger.records import EpisodeCase
from .store import Store


class LedgerReplay(Record):
    """What folding the ledger again gave."""

    until: int
    """Number of the last row that was folded."""
    events: int
    episodes: int
    steps: int
    state_hash: str
    problems: tuple[str, ...]
    """Where the stored state differs; empty when it does not, or was not compared."""


class EpisodeDifference(Record):
    """Episodes that came and went between two moments."""

    came: tuple[EpisodeCase, ...]
    went: tuple[EpisodeCase, ...]


def replay(folder: Path, *, as_of: str | None = None, compare: bool = False) -> LedgerReplay:
    """Fold a store's ledger again.

    Args:
        folder: Of the store.
        as_of: A moment, see `moment`; now when None.
        compare: Whether to compare with the case table (it holds the present state only).

    Raises:
        UsageError: `as_of` names no moment.
        LedgerCorrupt: A row cannot be read.
    """
    if compare and as_of is not None:
        raise UsageError(
            "only the present state is stored, so an earlier one cannot be verified",
            hint="Leave out --as-of or --verify.",
        )
    ledger = open_ledger(folder)
    until = ledger.head() if as_of is None else moment(folder, as_of)
    problems = ledger.damage() if compare else []
    with Store(folder, read_only=True, until=until, snapshot=False) as store:
        if compare:
            problems += store.table_damage()
        return LedgerReplay(
            until=until,
            events=until,
            episodes=len(store.episodes),
            steps=len(store.steps),
            state_hash=store.state_hash(),
            problems=tuple(problems),
        )


def compare(folder: Path, before: str, after: str) -> EpisodeDifference:
    """Return which episodes are in memory at only one of two moments (see `moment`)."""
    held = []
    for name in (before, after):
        with Store(folder, read_only=True, until=moment(folder, name)) as store:
            held.append(dict(store.episodes))
    return EpisodeDifference(
        came=tuple(case for i, case in held[1].items() if i not in held[0]),
        went=tuple(case for i, case in held[0].items() if i not in held[1]),
    )


def moment(folder: Path, name: str) -> int:
    """Return the number of the last row at a moment.

    Args:
        folder: Of the store.
        name: A row number, an event's id (or its beginning) or key, or a time (ISO 8601).

    Raises:
        UsageError: It is none of these.
    """
    rows = list(open_ledger(folder).raw())
    if name.isdigit() and int(name) <= len(rows):
        return int(name)
    named = [
        int(row["seq"])
        for row in rows
        if row["key"] == name or (len(name) > 7 and row["id"].startswith(name))
    ]
    if len(named) == 1:
        return named[0]
    try:
        time = datetime.fromisoformat(name).timestamp()
    except ValueError as error:
        raise UsageError(
            f"{name!r} is no moment of {folder}: no row up to {len(rows)}, no event id or key, no time",
            hint="For example 120, 01a20d8e-9ef0, or 2026-11-24T12:00:00.",
        ) from error
    return max((int(row["seq"]) for row in rows if row["at"] <= time), default=0)
