"""What all pictures of results share: the colour of each arm, and how a figure is written."""

from pathlib import Path
from typing import Any

from ...palette import TONES

COLOURS = {
    "none": TONES["model"].light,  # the model alone
    "placebo": "#a8a294",
    "knn": "#6a7077",
    "memory": TONES["memory"].light,
    "+skills": TONES["skills"].light,
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
