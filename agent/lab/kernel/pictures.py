"""What all pictures of results share: the colour of each arm, and how a figure is written."""

from pathlib import Path
from typing import Any

COLOURS = {
    "none": "#7a7a7a",
    "placebo": "#c98a2b",
    "knn": "#4a7fb5",
    "memory": "#2f7d4f",
    "lora-gold": "#b5493f",
    "lora-self": "#c98a2b",
    "softcot": "#4a7fb5",
}


def plotting() -> Any:
    """Return pyplot, set to write files and open no window."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot


def save_picture(figure: Any, path: Path) -> None:
    """Write a figure as PNG, its folder made, and free it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Software": "lichen"})
    plotting().close(figure)
