"""`lichen reproduce`: run a table of the documentation again from its recorded configuration."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from ...cli.options import Json, out, row, write_json


def reproduce_command(
    table: Annotated[
        str | None, typer.Argument(help="Name of a table. [default: list all of them]")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="Model in the place of FILE.gguf.")
    ] = None,
    store: Annotated[
        Path | None, typer.Option("--store", help="Folder of the run, where it keeps one.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what was found, and what would run.")
    ] = False,
    json_path: Json = None,
) -> None:
    """Say what a table of the documentation found, and run its command again.

    Without a table all are listed. The exit status is that of the command.
    """
    from rich.table import Table

    from ..reproduce.recorded_tables import recorded_tables, table_named

    console = out(json_path)
    if table is None:
        listed = Table()
        for name in ("table", "what", "found", "command"):
            listed.add_column(name, overflow="fold")
        held = recorded_tables()
        for one in held.values():
            row(listed, one.name, one.what, one.found, one.command)
        console.print(listed)
        write_json({name: one.model_dump() for name, one in held.items()}, json_path)
        return
    found = table_named(table)
    words = found.argv(file=file, store=store)
    console.print(f"{found.what}\nfound: {found.found}", markup=False, highlight=False)
    console.print(f"runs: lichen {' '.join(words)}", markup=False, highlight=False)
    if dry_run:
        write_json({**found.model_dump(), "argv": words}, json_path)
        return
    if json_path is not None:
        words += ["--json", json_path]
    raise typer.Exit(subprocess.run([sys.executable, "-m", "lichen.agent", *words]).returncode)
