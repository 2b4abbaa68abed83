"""The row of a held-out evaluation: one episode of one arm at one checkpoint."""

from ....envs.errors import UsageError
from ....envs.types import Outcome, Record
from ...llm.errors import FingerprintChanged
from ..kernel.identity import HINT
from ..kernel.rows import RowFile


class EpisodeRow(Record):
    """One episode of an evaluation."""

    arm: str
    checkpoint: int
    """Learned episodes in memory."""
    task_id: str
    family: str
    outcome: Outcome
    score: float
    steps: int
    tokens_in: int
    tokens_out: int
    cached: int = 0
    """Of `tokens_in`: read by the server from its prefix cache."""
    cost: float = 0.0
    """Dollars, where the model has a price in the settings."""
    seconds: float
    kl: float | None
    llm: str = ""
    """Fingerprint of the model; empty for an arm without one."""
    library: str = ""
    """Hash of the skills that were offered, and of their dials; empty for an arm without them."""
    reason: str = ""

    @property
    def key(self) -> tuple[str, int, str]:
        """What the row is about."""
        return self.arm, self.checkpoint, self.task_id


Rows = RowFile[EpisodeRow]


def made_by(rows: Rows, llm: str) -> None:
    """Raise FingerprintChanged when a row was made by another model than `llm`."""
    other = next((row.llm for row in rows.rows.values() if row.llm), llm)
    if llm and other != llm:
        raise FingerprintChanged(
            f"{rows.path} was begun with the model {other[:16]}, and this is {llm[:16]}", hint=HINT
        )


def made_with(rows: Rows, library: str) -> None:
    """Raise UsageError when a row was made with other skills than `library`."""
    if any(library and row.library not in ("", library) for row in rows.rows.values()):
        raise UsageError(
            f"{rows.path} was begun with another library of skills, or with other dials of them",
            hint=HINT,
        )
