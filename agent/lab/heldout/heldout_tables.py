"""The two tables of a held-out evaluation: its arms, and their paired differences."""

from rich.table import Table

from ..kernel.contrasts import PairedDifference
from ..kernel.tables import table
from .heldout_report import ArmAtCheckpoint, Report


def arms_table(report: Report) -> Table:
    """Return a report's arms as a table."""
    columns = ("arm", "in memory", "tasks", "success", "95%", "score", "95%")
    priced = any(cell.cost for cells in report.arms.values() for cell in cells.values())
    return table(
        f"{report.suite} ({report.split}), {report.model}, {report.learn}",
        (*columns, "steps", "tokens read", "generated", "KL", *(["$"] if priced else [])),
        [
            (*_row(arm, point, cell), *([f"{cell.cost:.4f}"] if priced else []))
            for arm, cells in report.arms.items()
            for point, cell in cells.items()
        ],
        fold=True,
    )


def families_table(report: Report) -> Table | None:
    """Return what memory gains by family at the last checkpoint; None where there is one family."""
    last = max((c.checkpoint for c in report.contrasts), default=0)
    shown = [
        c
        for c in report.contrasts
        if c.a == "memory"
        and (c.checkpoint, c.measure) == (last, report.measure)
        and c.b in ("none", "placebo", "knn")
    ]
    families = sorted({family for c in shown for family in c.by_family})
    if len(families) < 2:
        return None
    return table(
        f"memory less others by family, {report.measure}, {last} in memory",
        ("family", *(c.b for c in shown)),
        [
            (family, *(_by(c.by_family[family]) if family in c.by_family else "" for c in shown))
            for family in families
        ],
        left=("family",),
    )


def _by(found: PairedDifference) -> str:
    return f"{found.mean:+.2f} [{found.ci95[0]:+.2f}, {found.ci95[1]:+.2f}]"


def _row(arm: str, point: int, cell: ArmAtCheckpoint) -> tuple[str, ...]:
    return (
        arm,
        str(point),
        f"{cell.n}" + (f" (+{cell.unknown}?)" if cell.unknown else ""),
        f"{cell.success:.2f}",
        f"{cell.ci95[0]:.2f}-{cell.ci95[1]:.2f}",
        f"{cell.score:.3f}",
        f"{cell.score_ci95[0]:.2f}-{cell.score_ci95[1]:.2f}",
        f"{cell.steps:.1f}",
        f"{cell.tokens:.0f} in all" if cell.tokens_in is None else _read(cell),
        "-" if cell.tokens_out is None else f"{cell.tokens_out:.0f}",
        "-" if cell.kl is None else f"{cell.kl:.2f}",
    )


def _read(cell: ArmAtCheckpoint) -> str:
    cached = f" ({cell.cached:.0f} cached)" if cell.cached else ""
    return f"{cell.tokens_in:.0f}{cached}"


def contrasts_table(report: Report) -> Table:
    """Return a report's paired differences as a table; those whose interval is above 0 in green."""
    made = table(
        "paired differences",
        ("contrast", "in memory", "measure", "tasks", "difference", "95%"),
        left=("contrast",),
    )
    for c in report.contrasts:
        made.add_row(
            f"{c.a} - {c.b}",
            str(c.checkpoint),
            c.measure,
            str(c.n),
            f"{c.diff:+.3f}",
            f"{c.ci95[0]:+.3f} to {c.ci95[1]:+.3f}",
            style="green" if c.holds else None,
        )
    return made
