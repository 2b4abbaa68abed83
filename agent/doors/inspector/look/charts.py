"""Where the marks of a chart stand; the templates draw them as SVG."""

from collections.abc import Sequence
from typing import NamedTuple

from ..seen.learning import SuccessRate

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 640, 200, 36, 24, 8


class Point(NamedTuple):
    """One mark, in the units of the picture."""

    x: float
    y: float
    low: float
    high: float
    label: str
    title: str


class Curve(NamedTuple):
    """A curve of shares with its band."""

    points: list[Point]
    line: str
    band: str
    """Paths of SVG."""
    ticks: list[tuple[float, str]]
    """Height and text of the lines behind it."""
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    floor: int = HEIGHT - BOTTOM


def curve(rates: Sequence[SuccessRate]) -> Curve:
    """Return the curve of success over time."""

    def y(share: float) -> float:
        return round(TOP + (1 - share) * (HEIGHT - BOTTOM - TOP), 1)

    step = (WIDTH - LEFT - 16) / max(1, len(rates) - 1)
    points = [
        Point(
            round(LEFT + 8 + i * step, 1),
            y(rate.share),
            y(rate.low),
            y(rate.high),
            rate.name,
            f"from {rate.name}: {rate.share:.0%} of {rate.n} [{rate.low:.0%}, {rate.high:.0%}]",
        )
        for i, rate in enumerate(rates)
    ]
    line = "M" + " L".join(f"{p.x} {p.y}" for p in points) if points else ""
    edge = [f"{p.x} {p.high}" for p in points] + [f"{p.x} {p.low}" for p in reversed(points)]
    band = f"M{' L'.join(edge)} Z" if points else ""
    return Curve(points, line, band, [(y(s), f"{s:.0%}") for s in (0, 0.5, 1)])
