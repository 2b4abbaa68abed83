"""The picture of a stream: the accuracy matrix of every arm, and what it comes to."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..kernel.contrasts import Interval
from ..kernel.pictures import COLOURS, plotting, save_picture
from .stream_report import ArmReport, ContinualReport


def draw(report: ContinualReport, path: Path) -> None:
    """Draw one heat map an arm and bars under them, and write them as PNG.

    Args:
        report: What was found.
        path: Where to; the folder is made.
    """
    arms = report.arms
    figure = plotting().figure(
        figsize=(max(9.0, 2.6 * len(arms)), 6.6), dpi=150, layout="constrained"
    )
    halves: Any = figure.subfigures(2, 1, height_ratios=(1.1, 1.0))
    top, bottom = halves
    maps = top.subplots(1, len(arms), squeeze=False)[0]
    for axes, arm in zip(maps, arms, strict=True):
        _matrix(axes, arm, report.families, first=axes is maps[0])
    panels = bottom.subplots(1, 4)
    _bars(panels[0], arms, [arm.measures.accuracy for arm in arms], "final accuracy (ACC)")
    _bars(panels[1], arms, [arm.measures.backward for arm in arms], "backward transfer (BWT)")
    flips = [arm.measures.negative_flips for arm in arms]
    _bars(panels[2], arms, flips, "negative flips (NFR)")
    _drifts(panels[3], arms)
    figure.suptitle(
        f"{report.stream}: {report.model}, {report.decisions} held-out decisions a family "
        f"({report.split}), seed {report.seed}",
        x=0.01,
        ha="left",
        fontsize=11,
    )
    save_picture(figure, path)


def _matrix(axes: Any, arm: ArmReport, families: Sequence[str], *, first: bool) -> None:
    """Draw R[i][j]: a row a stage, a column a family."""
    rows = arm.measures.matrix
    axes.imshow(rows, vmin=0, vmax=1, cmap="Greens", aspect="auto")
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            shade = "white" if value > 0.6 else "black"
            axes.text(j, i, f"{value:.2f}", ha="center", va="center", fontsize=8, color=shade)
        if i:  # the family that this stage taught
            axes.add_patch(_frame(i - 1, i))
    axes.set_title(arm.name, fontsize=10, color=COLOURS.get(arm.name))
    axes.set_xticks(range(len(families)), families, rotation=30, ha="right", fontsize=7)
    stages = ["before", *(f"after {family}" for family in families)]
    axes.set_yticks(range(len(rows)), stages if first else [""] * len(rows), fontsize=7)
    axes.tick_params(length=0)


def _frame(column: int, row: int) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor="black", linewidth=1.2)


def _bars(
    axes: Any, arms: Sequence[ArmReport], values: Sequence[Interval | None], title: str
) -> None:
    for place, (arm, value) in enumerate(zip(arms, values, strict=True)):
        if value is None:  # nothing was right that could have become wrong
            continue
        below, above = max(0.0, value.mean - value.low), max(0.0, value.high - value.mean)
        axes.bar(place, value.mean, color=COLOURS.get(arm.name), width=0.7)
        if below or above:
            axes.errorbar(
                place, value.mean, yerr=[[below], [above]], color="black", capsize=2, linewidth=0.8
            )
        said = "0" if value.mean == 0 else f"{value.mean:.2f}"
        up = value.mean >= 0
        _say(axes, said, place, max(value.high, 0.0) if up else value.low, up=up)
    _frame_of_bars(axes, arms, title)


def _drifts(axes: Any, arms: Sequence[ArmReport]) -> None:
    """Draw the KL of each arm after the last stage; an outline where what was learned is put in anyway."""
    for place, arm in enumerate(arms):
        colour, value, forced = COLOURS.get(arm.name), arm.drift[-1], arm.drift_forced[-1]
        if forced is not None:
            axes.bar(place, forced, fill=False, edgecolor=colour, linestyle="--", width=0.7)
        axes.bar(place, value, color=colour, width=0.7)
        said = "0" if value == 0 else f"{value:.1e}"
        if forced is not None:
            said += f"\n({forced:.2f})"
        _say(axes, said, place, max(value, forced or 0.0), up=True)
    axes.set_yscale("symlog", linthresh=1e-4)
    _frame_of_bars(axes, arms, "KL from base off-stream, nats a token\n(dashed: put in anyway)")
    highest = max(max(arm.drift[-1], arm.drift_forced[-1] or 0.0) for arm in arms)
    axes.set_ylim(0, max(10 * highest, 1e-4))


def _say(axes: Any, text: str, place: int, height: float, *, up: bool) -> None:
    axes.annotate(
        text,
        (place, height),
        xytext=(0, 2 if up else -2),
        textcoords="offset points",
        ha="center",
        va="bottom" if up else "top",
        fontsize=7,
    )


def _frame_of_bars(axes: Any, arms: Sequence[ArmReport], title: str) -> None:
    axes.axhline(0, color="black", linewidth=0.6)
    names = [arm.name for arm in arms]
    axes.set_xticks(range(len(arms)), names, rotation=30, ha="right", fontsize=7)
    axes.tick_params(axis="y", labelsize=7)
    axes.use_sticky_edges = False  # the numbers need room on both sides of the bars
    axes.margins(y=0.18)
    axes.set_title(title, fontsize=9, pad=10)
    axes.spines[["top", "right"]].set_visible(False)
