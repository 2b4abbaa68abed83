"""The picture of a learning curve: a PNG, and a self-contained HTML page with its numbers."""

import base64
from pathlib import Path

from ..kernel.pictures import COLOURS, plotting, save_picture
from .heldout_report import Report
from .policy_arms import ARMS


def draw(report: Report, path: Path, *, measure: str = "success") -> None:
    """Draw the curve of every arm with its 95% interval and write it as PNG.

    Args:
        report: What was found.
        path: Where to; the folder is made.
        measure: `success` or `score`.
    """
    figure, axes = plotting().subplots(figsize=(7.2, 4.2), dpi=150)
    points = sorted({p for cells in report.arms.values() for p in cells})
    place = {p: i for i, p in enumerate(points)}
    for arm, cells in report.arms.items():
        held = sorted(cells)
        if not held:
            continue
        label = f"{arm}: {ARMS[arm].says}" if arm in ARMS else arm
        colour = COLOURS.get(arm)
        values = [getattr(cells[p], measure) for p in held]
        bounds = [cells[p].ci95 if measure == "success" else cells[p].score_ci95 for p in held]
        if len(held) == 1 and len(points) > 1:  # an arm without memory: one line through all
            axes.axhline(values[0], color=colour, linestyle="--", label=label)
            axes.axhspan(*bounds[0], color=colour, alpha=0.08)
            continue
        x = [place[p] for p in held]
        axes.plot(x, values, marker="o", color=colour, label=label)
        axes.fill_between(
            x, [b[0] for b in bounds], [b[1] for b in bounds], color=colour, alpha=0.15
        )
    axes.set_xticks(range(len(points)), [str(p) for p in points])
    source = "demonstrations" if report.learn == "demonstrations" else "episodes of own experience"
    axes.set_xlabel(f"{source} in memory")
    n = max((cell.n for cells in report.arms.values() for cell in cells.values()), default=0)
    axes.set_ylabel(f"{measure} on {n} held-out tasks ({report.split})")
    axes.set_ylim(-0.02, 1.02)
    axes.set_title(f"{report.suite}: {report.model}, frozen", loc="left", fontsize=11)
    axes.grid(axis="y", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8, loc="best")
    figure.tight_layout()
    save_picture(figure, path)


def write_page(report: Report, picture: Path, path: Path) -> None:
    """Write one HTML file with the picture inside and the tables under it."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    jinja = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        autoescape=True,
    )
    image = base64.b64encode(picture.read_bytes()).decode()
    page = jinja.get_template("report.html").render(report=report, image=image, arms=ARMS)
    path.write_text(page, encoding="utf-8")
