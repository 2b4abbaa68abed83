"""`lichen skills jail attack`: whether hostile programs stay inside the jail."""

from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from ...cli.options import Json, out, progress_console, row, write_json

_STYLES = {"blocked": None, "LEAK": "bold red", "broken": "yellow"}


def attack(
    level: Annotated[
        str | None,
        typer.Option("--level", help="kernel, bubblewrap, docker or none. [default: kernel]"),
    ] = None,
    theme: Annotated[
        str | None,
        typer.Option(
            "--theme", help="Only files, processes, network, kernel, resources or protocol."
        ),
    ] = None,
    scratch: Annotated[
        bool,
        typer.Option(
            "--scratch/--no-scratch", help="With the scratch folder, or without any file."
        ),
    ] = True,
    json_path: Json = None,
) -> None:
    """Run hostile programs in the jail; exit 1 when one leaks or cannot be judged."""
    from ....envs.errors import UnknownName
    from ..attacks import attacks, run_attacks

    every = attacks()
    chosen = [a for a in every if theme is None or a.theme == theme]
    if not chosen:
        raise UnknownName("theme", str(theme), {a.theme for a in every})
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=progress_console, transient=True) as progress:
        bar = progress.add_task("attacking", total=len(chosen))
        judged = run_attacks(
            level, chosen=chosen, scratch=scratch, on_judged=lambda _: progress.advance(bar)
        )
    counts = {v: sum(j.verdict == v for j in judged) for v in ("blocked", "LEAK", "broken")}
    holds = counts["blocked"] == len(judged)
    write_json(
        {
            "level": level or "kernel",
            "attacks": [j.model_dump() for j in judged],
            "counts": counts,
            "holds": holds,
        },
        json_path,
    )
    if json_path != "-":
        table = Table()
        for name in ("theme", "attack", "verdict"):
            table.add_column(name, no_wrap=True)
        table.add_column("tries")
        table.add_column("seen")
        for j in judged:
            style = _STYLES[j.verdict]
            row(table, j.theme, j.name, j.verdict, j.tries, j.detail[:100], style=style)
        console = out(json_path)
        console.print(table)
        said = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
        console.print(f"{len(judged)} attacks on level {level or 'kernel'}: {said}")
    if not holds:
        raise typer.Exit(1)
