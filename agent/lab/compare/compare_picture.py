"""The picture of a comparison: how each arm went along the stream, and where it ended, with intervals."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..kernel.pictures import COLOURS, plotting, save_picture
from .compare_report import CompareReport
from .stream_row import StreamRow

_GREY = "#9a9a9a"
_MARKED = ("memory", "knn", "none")


def draw(report: CompareReport, rows: Sequence[StreamRow], path: Path) -> None:
    """Draw a comparison and write it as PNG; the folder is made.

    Left the running mean of the measure along the tasks that are learned from, right its mean with the 95%
    interval, best arm on top.
    """
    figure, (left, right) = plotting().subplots(
        1, 2, figsize=(10.5, 0.32 * len(report.arms) + 2.4), dpi=150
    )
    held: defaultdict[str, list[StreamRow]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.number):
        if row.learns and row.arm in report.arms:
            held[row.arm].append(row)
    for name, mine in held.items():
        values = np.cumsum([row.value(report.measure) for row in mine])
        running = values / np.arange(1, len(mine) + 1)
        marked = name in _MARKED
        left.plot(
            running,
            color=COLOURS.get(name, _GREY) if marked else _GREY,
            linewidth=2.0 if marked else 0.8,
            label=name if marked else None,
        )
    longest = max(held.values(), key=len, default=[])
    for place, (one, other) in enumerate(zip(longest, longest[1:], strict=False), start=1):
        if one.phase != other.phase:
            left.axvline(place, color=_GREY, linewidth=0.5, linestyle=":")
    left.set_xlabel("tasks met (dotted: the next phase)")
    left.set_ylabel(f"{report.measure} so far")
    left.set_title(f"{report.stream}: {report.model}, frozen", loc="left", fontsize=10)
    left.legend(frameon=False, fontsize=8)

    def found(name: str) -> tuple[float, float, float]:
        arm = report.arms[name]
        one = arm.success if report.measure == "success" else arm.score
        return one.mean, one.low, one.high

    order = sorted(report.arms, key=lambda name: found(name)[0])
    for place, name in enumerate(order):
        value, low, high = found(name)
        colour = COLOURS.get(name, _GREY)
        right.plot([low, high], [place, place], color=colour, linewidth=2)
        right.plot([value], [place], marker="o", color=colour)
    right.set_yticks(range(len(order)), order)
    right.set_xlabel(f"{report.measure}, 95% interval")
    for axes in (left, right):
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    save_picture(figure, path)
