"""Where the agent's own projection lies in its store, and the one that it took the place of."""

import shutil
from pathlib import Path

from ...envs.errors import BadFile
from .checkpoint import CARD, TRAINING, WEIGHTS
from .gate_record import read_gate

PREVIOUS = "own-previous"
"""Beside it: the one that it took the place of."""
ASIDE = "own-rolled-back"
"""Beside it: the last one that passed nowhere and had to go."""
STATES = "states"
"""Beside it: the assistant's states."""


def keep_previous(folder: Path) -> None:
    """Put a projection aside before another is trained in its place; an unfinished training goes.

    One that was never found worth anything does not take the place of one that it followed.
    """
    mend(folder)
    previous = folder.with_name(PREVIOUS)
    if (folder / WEIGHTS).exists() and (_passed(folder) or not (previous / WEIGHTS).exists()):
        (folder / TRAINING).unlink(missing_ok=True)
        shutil.rmtree(previous, ignore_errors=True)
        folder.rename(previous)
    shutil.rmtree(folder, ignore_errors=True)


def exchange(folder: Path) -> None:
    """Put the previous projection in the place of this one, which is kept aside."""
    aside = folder.with_name(ASIDE)
    shutil.rmtree(aside, ignore_errors=True)
    folder.rename(aside)
    folder.with_name(PREVIOUS).rename(folder)


def mend(folder: Path) -> None:
    """Finish an exchange that a kill cut in two."""
    previous, aside = folder.with_name(PREVIOUS), folder.with_name(ASIDE)
    if not folder.exists() and aside.exists() and (previous / CARD).exists():
        previous.rename(folder)


def _passed(folder: Path) -> bool:
    try:
        found = read_gate(folder)
    except BadFile:
        return False
    return found is not None and any(record.passes for record in found.measured)
