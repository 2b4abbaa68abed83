"""The rows of an evaluation: one per arm, checkpoint and task, appended as they are done.

The file is the evaluation's memory of itself: an interrupted evaluation reads it and goes on.
"""

import json
import os
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ....envs.errors import BadFile, UsageError
from ....envs.types import Outcome, Record
from ...llm.errors import FingerprintChanged


class Row(Record):
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


class RowFile:
    """A JSONL file whose first line says which evaluation it belongs to.

    Args:
        path: Created when it is missing.
        identity: What must be equal for rows to be comparable: model, policy, suite, seed...

    Raises:
        UsageError: The file belongs to another evaluation.
        BadFile: A line in the middle is damaged (a torn last line is dropped).
    """

    def __init__(self, path: Path, identity: dict[str, Any]) -> None:
        self.path = path
        self.rows: dict[tuple[str, int, str], Row] = {}
        head = json.dumps({"evaluation": identity}, sort_keys=True)
        if not path.exists() or not path.stat().st_size:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(head + "\n", encoding="utf-8")
            return
        try:
            lines = path.read_text(encoding="utf-8").split("\n")
        except UnicodeDecodeError as error:
            raise BadFile(
                f"{path} is damaged: {error}",
                hint="Cut the file off before the damage; the rows before it are kept.",
            ) from error
        if lines[0] != head:
            raise UsageError(
                f"{path} holds an evaluation with other settings",
                hint="Use `--fresh` to begin it anew, or another `--store`.",
            )
        for number, line in enumerate(lines[1:], start=2):
            if not line:
                continue
            try:
                row = Row.model_validate_json(line)
            except ValidationError as error:
                if number == len(lines):  # torn by a kill: that episode is run again
                    keep = sum(len(x.encode()) + 1 for x in lines[: number - 1])
                    os.truncate(path, keep)
                    break
                raise BadFile(
                    f"line {number} of {path} is damaged: {error.errors()[0]['msg']}"
                ) from error
            self.rows[row.key] = row

    def made_by(self, llm: str) -> None:
        """Raise FingerprintChanged when a row was made by another model than `llm`."""
        other = next((row.llm for row in self.rows.values() if row.llm), llm)
        if llm and other != llm:
            raise FingerprintChanged(
                f"{self.path} was begun with the model {other[:16]}, and this is {llm[:16]}",
                hint="Use `--fresh` to begin it anew, or another `--store`.",
            )

    def made_with(self, library: str) -> None:
        """Raise UsageError when a row was made with other skills than `library` (see `Row.library`)."""
        if any(library and row.library not in ("", library) for row in self.rows.values()):
            raise UsageError(
                f"{self.path} was begun with another library of skills, or with other dials of them",
                hint="Use `--fresh` to begin it anew, or another `--store`.",
            )

    def add(self, row: Row) -> None:
        """Append a row; it is on disk when this returns."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(row.model_dump_json() + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.rows[row.key] = row
