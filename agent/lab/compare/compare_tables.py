"""The table of a comparison, for the terminal and for a page."""

from rich.table import Table

from ..kernel.contrasts import Interval, PairedDifference
from ..kernel.tables import table
from .compare_report import ArmOnStream, CompareReport

_QUALITY = ("arm", "success", "score", "gain", "forgets", "lost")
_COST = ("read", "cached", "written", "seconds")
COLUMNS = (*_QUALITY, *_COST)


def compare_table(report: CompareReport) -> Table:
    """Return what each arm came to, one row for each."""
    shown = f", after {report.shown} demonstrations" if report.shown else ""
    title = f"{report.stream}: {report.tasks} tasks ({report.split}){shown}, {report.model}, seed {report.seed}"
    rows = [cells(name, arm)[: len(_QUALITY)] for name, arm in report.arms.items()]
    return table(title, _QUALITY, rows)


def cost_table(report: CompareReport) -> Table:
    """Return what each arm took for a task: tokens and seconds, learning included."""
    rows = [(name, *cells(name, arm)[len(_QUALITY) :]) for name, arm in report.arms.items()]
    return table("per task, learning included", ("arm", *_COST), rows)


def phases_table(report: CompareReport) -> Table:
    """Return the measure by phase, one row for each arm."""
    rows = [
        (name, *(f"{arm.by_phase.get(phase, float('nan')):.2f}" for phase in report.phases))
        for name, arm in report.arms.items()
    ]
    return table(f"{report.measure} by phase", ("arm", *report.phases), rows, fold=True)


def cells(name: str, arm: ArmOnStream) -> tuple[str, ...]:
    """Return the row of an arm."""
    return (
        name,
        _of(arm.success),
        _of(arm.score),
        _by(arm.gain),
        _by(arm.forgetting),
        "" if arm.negative_transfer is None else f"{arm.negative_transfer:.2f}",
        f"{arm.tokens_in:,.0f}",
        f"{arm.cached:,.0f}",
        f"{arm.tokens_out:,.0f}",
        f"{arm.seconds:.1f}",
    )


def _of(found: Interval) -> str:
    return f"{found.mean:.2f} [{found.low:.2f}, {found.high:.2f}]"


def _by(found: PairedDifference | None) -> str:
    if found is None:
        return ""
    return f"{found.mean:+.2f} [{found.ci95[0]:+.2f}, {found.ci95[1]:+.2f}]"
