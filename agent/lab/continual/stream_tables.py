"""The tables of a stream: accuracy matrices, what they come to, what they cost."""

from rich.table import Table

from ..kernel.contrasts import Interval
from ..kernel.tables import table
from .stream_report import ContinualReport


def matrix_table(report: ContinualReport) -> Table:
    """Return the accuracy matrices R[i][j] as a table: a row an arm and stage, a column a family."""
    made = table(
        f"{report.stream} ({report.split}), {report.model}, {report.decisions} decisions a family",
        ("arm", "after"),
        left=("arm", "after"),
    )
    for family, chance in zip(report.families, report.chance, strict=True):
        made.add_column(f"{family}\n(chance {chance:.2f})", justify="right")
    for arm in report.arms:
        rows = arm.measures.matrix if arm.spent.targets else arm.measures.matrix[:1]
        for stage, row in enumerate(rows):
            cells = [f"{value:.2f}" + "*" * (stage == j + 1) for j, value in enumerate(row)]
            after = report.families[stage - 1] if stage else "nothing"
            made.add_row(
                arm.name if not stage else "", after, *cells, end_section=stage == len(rows) - 1
            )
    return made


def measures_table(report: ContinualReport) -> Table:
    """Return what the matrices come to, with 95% intervals, and the KL on off-stream text."""
    columns = ("arm", "ACC", "BWT", "FWT", "forgetting", "neg. flips", "plasticity", "KL", "forced")
    made = table("what it comes to (95% by bootstrap over decisions)", columns)
    for arm in report.arms:
        m, forced = arm.measures, arm.drift_forced[-1]
        made.add_row(
            arm.name,
            _plain(m.accuracy),
            _signed(m.backward),
            _signed(m.forward),
            _signed(m.forgetting),
            "-" if m.negative_flips is None else _plain(m.negative_flips),
            _signed(m.plasticity),
            _nats(arm.drift[-1]),
            "-" if forced is None else _nats(forced),
        )
    return made


def spent_table(report: ContinualReport) -> Table:
    """Return what every arm cost."""
    columns = ("arm", "weights", "targets", "steps", "tokens to learn", "s to learn")
    made = table("what it cost", (*columns, "tokens a decision", "s a decision"))
    for arm in report.arms:
        s = arm.spent
        made.add_row(
            arm.name,
            f"{s.weights:,}",
            "+".join(map(str, s.targets)) or "0",
            str(s.steps),
            f"{s.learning_tokens:,}",
            f"{s.learning_seconds:.1f}",
            f"{s.decision_tokens:.0f}",
            f"{s.decision_seconds:.2f}",
        )
    return made


def _plain(value: Interval) -> str:
    return f"{value.mean:.2f}\n{value.low:.2f}, {value.high:.2f}"


def _signed(value: Interval) -> str:
    return f"{value.mean:+.2f}\n{value.low:+.2f}, {value.high:+.2f}"


def _nats(value: float) -> str:
    return "0" if value == 0 else f"{value:.2g}"
