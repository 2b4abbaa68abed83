"""The record of what was measured, with the command of each table: one file, `tables.toml`."""

import shlex
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from ....envs.errors import UnknownName, UsageError
from ....envs.types import Record

FILE = "FILE.gguf"
"""Stands in commands for the file of a model that does not ship."""


class RecordedTable(Record):
    """One table, or one row of the README's."""

    name: str
    what: str
    """What was measured, on how many tasks."""
    found: str
    command: str
    """As the documentation says it."""
    runs: str = ""
    """What is run where that is no command of Lichen's."""

    def argv(self, *, file: Path | None = None, store: Path | None = None) -> list[str]:
        """Return the words behind `lichen`.

        Args:
            file: In the place of `FILE.gguf`.
            store: Folder of the run, where the command takes one.

        Raises:
            UsageError: The command needs a file, or takes no folder.
        """
        words = shlex.split(self.runs or self.command)[1:]
        if any(FILE in word for word in words):
            if file is None:
                raise UsageError(
                    f"the table {self.name!r} is of a model that does not ship: {self.command}",
                    hint="Name its file: --file MODEL.gguf.",
                )
            words = [word.replace(FILE, str(file)) for word in words]
        if store is not None:
            if words[0] not in ("eval", "compare", "continual"):
                raise UsageError(f"`lichen {words[0]}` keeps nothing in a folder of its own")
            words += ["--store", str(store)]
        return words


def recorded_tables() -> Mapping[str, RecordedTable]:
    """Return all tables by name, in their order."""
    text = files(__package__).joinpath("tables.toml").read_text(encoding="utf-8")
    return {name: RecordedTable(name=name, **held) for name, held in tomllib.loads(text).items()}


def table_named(name: str) -> RecordedTable:
    """Return a table.

    Raises:
        UnknownName: There is none of this name.
    """
    held = recorded_tables()
    if name not in held:
        raise UnknownName("table", name, held, hint="`lichen reproduce` lists them.")
    return held[name]
