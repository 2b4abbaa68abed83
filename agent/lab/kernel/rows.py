"""Rows of an experiment, kept as they are done, so that an interrupted experiment reads them and goes on.

`RowFile` appends lines to one file; `ResultFolder` has a file for each row, written whole. Both hold nothing
of what a row means: a row has a `key`, and that is what it is found by.
"""

import os
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from ....envs.errors import BadFile, UsageError
from ....memory.ledger.whole_file import whole
from .identity import HINT, identity_line


class Keyed(Protocol):
    """A record that says what it is about."""

    @property
    def key(self) -> Hashable:
        """What the row is about."""

    def model_dump_json(self) -> str:
        """Return it as JSON on one line."""


RowT = TypeVar("RowT", bound=Keyed)
ResultT = TypeVar("ResultT", bound=BaseModel)


class RowFile(Generic[RowT]):
    """A JSONL file whose first line says which experiment it belongs to.

    Args:
        path: Created when it is missing.
        identity: What must be equal for rows to be comparable: model, policy, suite, seed...
        read: Reads a row from its line.

    Raises:
        UsageError: The file belongs to another experiment.
        BadFile: A line in the middle is damaged (a torn last line is dropped).
    """

    def __init__(self, path: Path, identity: dict[str, Any], read: Callable[[str], RowT]) -> None:
        self.path = path
        self.rows: dict[Hashable, RowT] = {}
        head = identity_line(identity)
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
            raise UsageError(f"{path} holds an evaluation with other settings", hint=HINT)
        for number, line in enumerate(lines[1:], start=2):
            if not line:
                continue
            try:
                row = read(line)
            except ValidationError as error:
                if number == len(lines):  # torn by a kill: that episode is run again
                    keep = sum(len(x.encode()) + 1 for x in lines[: number - 1])
                    os.truncate(path, keep)
                    break
                raise BadFile(
                    f"line {number} of {path} is damaged: {error.errors()[0]['msg']}"
                ) from error
            self.rows[row.key] = row

    def add(self, row: RowT) -> None:
        """Append a row; it is on disk when this returns."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(row.model_dump_json() + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.rows[row.key] = row


def rows_in(file: Path, kind: type[ResultT]) -> list[ResultT]:
    """Return the rows of an experiment's file; lines that are none are left out."""
    found = []
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            found.append(kind.model_validate_json(line))
        except ValidationError:
            continue  # the first line says what the experiment is
    return found


class ResultFolder(Generic[ResultT]):
    """A folder with one JSON file for each result.

    Args:
        folder: Made when the first result is written.
        kind: The record.
        again: What is done again when a damaged file is removed, for the message.
    """

    def __init__(self, folder: Path, kind: type[ResultT], again: str) -> None:
        self.folder, self._kind, self._again = folder, kind, again

    def read(self, name: str) -> ResultT | None:
        """Return a result; None when there is none yet.

        Raises:
            BadFile: Its file is damaged.
        """
        path = self.folder / f"{name}.json"
        if not path.exists():
            return None
        try:
            return self._kind.model_validate_json(path.read_text(encoding="utf-8"))
        except (ValidationError, UnicodeDecodeError) as error:
            raise BadFile(
                f"{path} is damaged", hint=f"Remove it: {self._again} is run again."
            ) from error

    def write(self, name: str, result: ResultT) -> None:
        """Write a result; a kill leaves all of it or nothing."""
        self.folder.mkdir(parents=True, exist_ok=True)
        text = result.model_dump_json(indent=1) + "\n"
        whole(self.folder / f"{name}.json", lambda p: p.write_text(text, encoding="utf-8"))
