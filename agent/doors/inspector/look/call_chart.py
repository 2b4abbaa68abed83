"""Where skills stand in the picture of who calls whom: callers left of what they call, layered by depth."""

from collections.abc import Mapping
from typing import NamedTuple

from .....skills.call_graph import callees, callers
from .....skills.types import Skill

WIDE, HIGH, ACROSS, DOWN, EDGE = 216, 30, 96, 12, 8
"""Of a box, and the gaps between boxes, in the units of the picture."""


class CallNode(NamedTuple):
    """A skill in the picture."""

    name: str
    label: str
    x: float
    y: float


class CallChart(NamedTuple):
    """The picture."""

    nodes: list[CallNode]
    paths: list[tuple[str, str]]
    """SVG path, and the words `A calls B`."""
    alone: list[str]
    """Skills that call nothing and that nothing calls."""
    called: list[tuple[str, list[str]]]
    """The same as a list: who calls, and what."""
    width: float
    height: float
    wide: int = WIDE
    high: int = HIGH


def call_chart(skills: Mapping[str, Skill]) -> CallChart:
    """Return the picture of a library."""
    below = {
        name: sorted(callees(skill) & skills.keys() - {name})
        for name, skill in skills.items()
        if skill.runnable
    }
    above = callers(skill for skill in skills.values() if skill.runnable)
    linked = [name for name in below if below[name] or above.get(name)]
    depth = _depths(below)
    most = max((depth[name] for name in linked), default=0)
    layers: list[list[str]] = [[] for _ in range(most + 1)]
    for name in linked:
        layers[most - depth[name]].append(name)
    rank: dict[str, float] = {}
    for column, layer in enumerate(layers):  # near to who calls it, so that few lines cross
        layer.sort(
            key=lambda name: (
                (
                    _middle([rank[caller] for caller in above.get(name, ()) if caller in rank]),
                    name,
                )
                if column
                else (0.0, name)
            )
        )
        rank |= {name: row / max(1, len(layer)) for row, name in enumerate(layer)}
    tallest = max(map(len, layers), default=0)
    nodes = {
        name: CallNode(
            name,
            name if len(name) <= 28 else f"{name[:27]}…",
            EDGE + column * (WIDE + ACROSS),
            EDGE + row * (HIGH + DOWN),
        )
        for column, layer in enumerate(layers)
        for row, name in enumerate(layer)
    }
    paths = [
        (_curve(nodes[caller], nodes[called]), f"{caller} calls {called}")
        for caller in linked
        for called in below[caller]
    ]
    return CallChart(
        nodes=list(nodes.values()),
        paths=paths,
        alone=[name for name in skills if name not in nodes],
        called=[(name, below[name]) for name in linked if below[name]],
        width=2 * EDGE + (most + 1) * WIDE + most * ACROSS,
        height=2 * EDGE + tallest * (HIGH + DOWN),
    )


def _depths(below: Mapping[str, list[str]]) -> dict[str, int]:
    """Return how many skills stand under each on the longest way down; a circle ends where it closes."""
    found: dict[str, int] = {}

    def deep(name: str, way: frozenset[str]) -> int:
        if name not in found:
            under = [deep(n, way | {name}) for n in below.get(name, ()) if n not in way]
            found[name] = 1 + max(under) if under else 0
        return found[name]

    for name in below:
        deep(name, frozenset({name}))
    return found


def _middle(ranks: list[float]) -> float:
    return sum(ranks) / len(ranks) if ranks else 1.0


def _curve(a: CallNode, b: CallNode) -> str:
    x1, y1, x2, y2 = a.x + WIDE, a.y + HIGH / 2, b.x, b.y + HIGH / 2
    bend = max(40.0, abs(x2 - x1) / 2)
    return f"M{x1:g} {y1:g} C{x1 + bend:g} {y1:g} {x2 - bend:g} {y2:g} {x2:g} {y2:g}"
