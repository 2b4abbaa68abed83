"""What the rows of known models come to: is a model's competence kept, and does memory only add to it?"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from ....envs.types import Record
from ....memory.credit.intervals import estimate
from ..bench.machine import machine, version
from ..kernel.contrasts import difference
from .competence_run import CompetenceRow

KEPT = 0.98
"""Share of what a perfect model scores alone that it must reach inside Lichen without memory."""
WITHIN = 0.02
"""By how much memory may be below the better of model and kNN, on the pooled games."""
Games = Mapping[tuple[str, str], float]
"""(suite, task) -> success, averaged over the ways of answering."""


class Level(Record):
    """All games at one competence, pooled over suites and ways of answering."""

    competence: float
    n: int
    none: float
    knn: float
    memory: float
    over_none: tuple[float, ...]
    """memory - none: mean, and the 95% interval over games."""
    over_knn: tuple[float, ...]
    lost: float
    """Share of the episodes that the model wins alone and not with memory: negative transfer, and the chance of
    its own choices."""
    won: float
    """The other way round: what is won with memory alone."""

    @property
    def no_worse(self) -> bool:
        """Whether memory is not below the better of the two."""
        return self.memory >= max(self.none, self.knn) - WITHIN

    @property
    def above(self) -> bool:
        """Whether memory is above both, with intervals above zero."""
        return self.over_none[1] > 0 and self.over_knn[1] > 0


def kept(rows: Sequence[CompetenceRow]) -> dict[tuple[str, str], tuple[float, float]]:
    """Return for every suite and way how a perfect model does (alone, inside Lichen without memory)."""
    found: defaultdict[tuple[str, str], dict[str, list[float]]] = defaultdict(
        lambda: {"alone": [], "none": []}
    )
    for row in rows:
        if row.competence == 1.0 and row.arm in ("alone", "none"):
            found[row.suite, row.way][row.arm].append(row.success)
    return {
        key: (_mean(arms["alone"]), _mean(arms["none"]))
        for key, arms in found.items()
        if arms["alone"] and arms["none"]
    }


def levels(rows: Sequence[CompetenceRow], *, seed: int) -> list[Level]:
    """Return the pooled games of every competence, lowest first."""
    most = max((row.shown for row in rows), default=0)
    knn = _games(rows, arm="knn", shown=most)
    alone = {row.played: row.success for row in rows if row.arm == "none"}
    found = []
    for competence in sorted({row.competence for row in rows if row.way}):
        none = _games(rows, arm="none", competence=competence)
        memory = _games(rows, arm="memory", competence=competence)
        games = sorted(none.keys() & memory.keys() & knn.keys())
        if not games:
            continue
        sides = {
            name: [held[game] for game in games]
            for name, held in (("none", none), ("knn", knn), ("memory", memory))
        }
        pairs = [
            (alone[row.played], row.success)
            for row in rows
            if row.arm == "memory" and row.competence == competence and row.played in alone
        ]
        found.append(
            Level(
                competence=competence,
                n=len(games),
                none=_mean(sides["none"]),
                knn=_mean(sides["knn"]),
                memory=_mean(sides["memory"]),
                over_none=tuple(difference(sides["memory"], sides["none"], seed=seed)),
                over_knn=tuple(difference(sides["memory"], sides["knn"], seed=seed)),
                lost=_mean([n * (1 - m) for n, m in pairs]),
                won=_mean([m * (1 - n) for n, m in pairs]),
            )
        )
    return found


def _games(
    rows: Sequence[CompetenceRow],
    *,
    arm: str,
    competence: float | None = None,
    shown: int | None = None,
) -> Games:
    held: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for row in rows:
        if row.arm != arm or (shown is not None and row.shown != shown):
            continue
        if competence is None or row.competence == competence:
            held[row.suite, row.task_id].append(row.success)
    return {game: _mean(values) for game, values in held.items()}


def report(rows: Sequence[CompetenceRow], *, seed: int) -> dict[str, Any]:
    """Return the table of `lichen bench competence`, in the form of all benches."""
    perfect, pooled = kept(rows), levels(rows, seed=seed)
    cells: defaultdict[tuple[object, ...], list[float]] = defaultdict(list)
    for row in rows:
        cells[row.suite, row.way, row.competence, row.arm, row.shown].append(row.success)
    table: list[dict[str, Any]] = []
    for cell, values in sorted(cells.items(), key=lambda item: tuple(map(str, item[0]))):
        suite, way, competence, arm, shown = cell
        found = estimate(values, seed=seed)
        table.append(
            {
                "what": f"{suite}: {way or 'no model'}, c {competence:g}, {arm}@{shown}",
                "n": len(values),
                "success": round(found.mean, 4),
                "ci95": [round(found.low, 4), round(found.high, 4)],
            }
        )
    keeps = all(inside >= KEPT * alone for alone, inside in perfect.values())
    between = [level for level in pooled if 0.0 < level.competence < 1.0]
    return {
        "bench": "competence",
        "version": version(),
        "machine": machine(),
        "rows": table,
        "perfect": [
            {"what": f"{suite}, {way}", "alone": alone, "none": inside}
            for (suite, way), (alone, inside) in sorted(perfect.items())
        ],
        "levels": [level.model_dump(mode="json") for level in pooled],
        "ratio": round(min((b / a for a, b in perfect.values() if a), default=0.0), 4),
        "checks": {
            "a perfect model keeps 0.98 in every way": keeps,
            "memory is no worse than the better of model and kNN": all(
                level.no_worse for level in pooled
            ),
            "memory is above both in the middle": any(level.above for level in between)
            or not between,
        },
        "holds": keeps
        and all(level.no_worse for level in pooled)
        and (any(level.above for level in between) or not between),
    }


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
