"""The colours of Lichen: one for each of the four channels that speak for an action, wherever one is drawn.

The inspector's `look.css` has the same values (a test compares them); pictures and the terminal take them here.
"""

from typing import Literal, NamedTuple

Channel = Literal["model", "memory", "exploration", "skills"]


class Tone(NamedTuple):
    """A colour."""

    light: str
    """On a light ground, also in pictures."""
    dark: str
    """On a dark one."""
    terminal: str
    """By its name in a terminal, whose own theme says how it looks."""


TONES: dict[Channel, Tone] = {
    "model": Tone("#2b62a8", "#7fb2f0", "blue"),
    "memory": Tone("#1f7a45", "#6ecf93", "green"),
    "exploration": Tone("#8a5800", "#e3b35c", "yellow"),
    "skills": Tone("#7a3fa0", "#c79bea", "magenta"),
}
SPEAKER: dict[str, Channel] = {
    "first": "model",
    "scores": "model",
    "value": "memory",
    "warned": "memory",
    "novelty": "exploration",
    "repetition": "exploration",
    "skills": "skills",
}
"""Which of the four speaks by a term of the policy (`memory.credit.channel_weights.CHANNELS`)."""
