"""`lichen doctor`: what is installed, what works, and what to do about what does not."""

from typing import Annotated

import typer
from rich.table import Table

from .options import DEFAULT, Json, Store, out, progress_console, write_json


def doctor(
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Only look at what is installed; start no model and no Java."),
    ] = False,
    store: Store = None,
    json_path: Json = None,
) -> None:
    """Say what is installed, which models and environments work, and what to do about what does not.

    Exit status 1 when something that the default run needs does not work.
    """
    from ..health import health

    def trying(what: str) -> None:
        progress_console.print(f"trying {what} ...", style="dim")

    findings = list(health(store or DEFAULT, quick=quick, trying=trying))
    bad = [f for f in findings if f.needed and not f.works]
    write_json({"findings": [f.model_dump() for f in findings], "works": not bad}, json_path)
    if json_path != "-":
        console = out(json_path)
        table = Table(show_header=True)
        for name in ("", "what", "found", "what to do"):
            table.add_column(name, overflow="fold")
        for finding in findings:
            mark = (
                "[green]ok[/green]"
                if finding.works
                else ("[red]no[/red]" if finding.needed else "[yellow]-[/yellow]")
            )
            table.add_row(mark, finding.what, finding.says, finding.do)
        console.print(table)
        console.print("The default run works." if not bad else "The default run does NOT work yet.")
    if bad:
        raise typer.Exit(1)
