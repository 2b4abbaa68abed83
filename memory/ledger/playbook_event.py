"""The event of the playbook: a rule in words was promoted, added or corrected."""

from typing import Literal

from pydantic import Field

from ...envs.types import Record, Text
from .records import Count, Finite


class BulletWritten(Record):
    """What one bullet of a playbook says from now on; its id is the end of the row's episode.

    The rows of a bullet have an episode of their own (see `playbook_module.episode_of`), so that forgetting
    one of the episodes that it was learned from takes it along with every correction.
    """

    version: Literal[1] = 1
    type: Literal["bullet_written"] = "bullet_written"
    env: str
    text: Text
    """Empty: it was taken out."""
    evidence: tuple[str, ...] = ()
    """Episodes that it was learned from; none of a person's own."""
    gain: tuple[Finite, Finite, Finite] | None = None
    """Of the whole playbook on held-out tasks: mean, low and high end of the 95% interval."""
    tasks: Count = Field(default=0)
    """Held-out tasks of that."""
    learned: Count = Field(default=0)
    """How many episodes memory had learned by then."""
    reason: Text = ""
