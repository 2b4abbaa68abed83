"""Snapshots: a large store opens from where it was closed, not from its first event.

A snapshot holds what the fold knew at a row of the ledger, with the hash of the chain there and a hash over
the stored records. When either does not fit, it is no snapshot: the ledger is folded again from its
beginning. `lichen memory verify` and `replay` never use one.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.engine import Connection, Engine

from ..credit.credit import Exposure
from ..credit.judge_rates import JudgeRates
from ..credit.skill_uses import SkillOutcome, SkillUse
from ..kinds.module import MemoryModule
from ..ledger.event_rows import digest
from ..ledger.events import Evicted
from ..ledger.ledger import Ledger
from ..ledger.records import MemoryRecord
from ..ledger.sqlite import reading, writing
from .case_table import CaseTable, StoredRecord, rows_digest
from .fold import Fold, Observed

FORM = 4
"""Of the body; another one is no snapshot."""
EVERY = 5_000
"""Rows of the ledger after which it is worth taking another."""

_meta = sa.MetaData()
_table = sa.Table(
    "snapshots",
    _meta,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("chain", sa.Text, nullable=False),
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("cases", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)
_exposures: TypeAdapter[tuple[Exposure, ...]] = TypeAdapter(tuple[Exposure, ...])


class Snapshots:
    """The snapshot of one store; there is at most one.

    Args:
        engine: Of the store's file.
        ledger: The store's.
        table: The store's.
    """

    def __init__(self, engine: Engine, ledger: Ledger, table: CaseTable) -> None:
        self._engine, self._ledger, self._cases = engine, ledger, table
        self.seq = 0
        """Row at which the one that was loaded or taken last stands."""

    def create(self) -> None:
        """Create the table where it is missing."""
        with writing():
            _meta.create_all(self._engine)

    def empty(self, connection: Connection) -> None:
        """Remove the snapshot: what it holds may be content that is forgotten now."""
        connection.execute(sa.delete(_table))
        self.seq = 0

    def take(self, fold: Fold) -> None:
        """Keep what a fold knows; the case table must be that of the same row."""
        place = self._cases.last()
        body = json.dumps(_body(fold))
        row = {
            "seq": fold.seq,
            "chain": self._ledger.chain(fold.seq),
            "place": place,
            "cases": _digest(self._cases.rows(until=place), body),
            "body": body,
        }
        with writing(), self._engine.begin() as connection:
            connection.execute(sa.delete(_table))
            connection.execute(sa.insert(_table), row)
        self.seq = fold.seq

    def load(self, modules: Sequence[MemoryModule]) -> tuple[Fold, list[MemoryRecord], int] | None:
        """Return fold, stored records and their last place as they were kept, None when they do not fit.

        Args:
            modules: Fresh ones, of which the fold is made.
        """
        with reading(), self._engine.connect() as connection:
            if not sa.inspect(connection).has_table(_table.name):
                return None
            kept = connection.execute(sa.select(_table)).first()
        if kept is None or self._ledger.chain(kept.seq) != kept.chain:
            return None
        rows = list(self._cases.rows(until=kept.place))
        if _digest(rows, kept.body) != kept.cases:
            return None
        body = json.loads(kept.body)
        if body.get("form") != FORM or body["modules"].keys() != _states(modules).keys():
            return None
        classes = {kind.record.__name__: kind.record for m in modules for kind in m.kinds}
        try:
            cases: list[MemoryRecord] = [
                classes[row.grain].model_validate_json(row.payload) for row in rows
            ]
        except (KeyError, ValidationError):  # a record has another form by now
            return None
        fold = _fold(body, kept.seq, modules)
        fold.rows_of = lambda episode: self._ledger.read(episode=episode)
        fold.sources |= {case.id: case.episode for case in cases}
        fold.ranks |= {case.episode: case.rank for case in cases}
        for episode in body["open"]:
            for _ in fold.apply(self._ledger.read(episode=episode, until=kept.seq)):
                return None  # an open episode that has ended: the snapshot lies
        fold.seq = self.seq = kept.seq
        fold.judge = JudgeRates(**body["judge"])  # the open episodes were counted when it was taken
        fold.uses.counts = {
            fold.uses.item(use["skill"], use["llm"]): SkillUse.model_validate(use)
            for use in body["uses"]
        }
        for module in modules:
            module.restore(body["modules"][_named(module)])  # likewise
        return fold, cases, kept.place


def _states(modules: Sequence[MemoryModule]) -> dict[str, Any]:
    """Return what each module knows, by its name and version."""
    return {_named(module): module.state() for module in modules}


def _named(module: MemoryModule) -> str:
    return f"{module.name}/{module.version}"


def _digest(rows: Iterable[StoredRecord], body: str) -> str:
    return rows_digest(rows) + digest(body)


def _body(fold: Fold) -> dict[str, Any]:
    return {
        "form": FORM,
        "episodes": fold.episodes,
        "open": sorted(fold.open),
        "observed": [
            [f.context, [e.model_dump() for e in f.exposures], f.outcome, f.rank, f.episode]
            for f in fold.observed
        ],
        "sources": {i: e for i, e in fold.sources.items() if e in fold.evicted},
        "tombstones": fold.tombstones,
        "flagged": fold.flagged,
        "judge": vars(fold.judge),
        "evicted": [event.model_dump() for event in fold.evicted.values()],
        "uses": [use.model_dump() for use in fold.uses.counts.values()],
        "skills": [
            [f.context, [e.model_dump() for e in f.exposures], f.outcome, f.episode]
            for f in fold.uses.observed
        ],
        "modules": _states(fold.modules),
    }


def _fold(body: dict[str, Any], seq: int, modules: Sequence[MemoryModule]) -> Fold:
    fold = Fold(
        modules,
        seq=seq,
        episodes=body["episodes"],
        sources=body["sources"],
        tombstones=body["tombstones"],
        flagged=body["flagged"],
        evicted={e["target"]: Evicted.model_validate(e) for e in body["evicted"]},
    )
    for context, given, *rest in body["observed"]:
        fold.observe(Observed(context, _exposures.validate_python(given), *rest))
    for context, given, *rest in body["skills"]:
        fold.uses.observe(SkillOutcome(context, _exposures.validate_python(given), *rest))
    return fold
