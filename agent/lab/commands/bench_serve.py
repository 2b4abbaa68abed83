"""`lichen bench serve`: the HTTP server under load; exit 1 when an acknowledged feedback is lost."""

from typing import Annotated

import typer
from rich.table import Table

from ...cli.options import Json, numbers, out, progress_console, write_json


def serve(
    clients: Annotated[
        str, typer.Option("--clients", help="How many ask at once, one load after another.")
    ] = "1,4,16,64",
    requests: Annotated[
        int, typer.Option("--requests", min=1, help="Of each load, at most.")
    ] = 200,
    seconds: Annotated[
        float, typer.Option("--seconds", min=0.1, help="That each load may last.")
    ] = 20.0,
    json_path: Json = None,
) -> None:
    """Load `lichen serve` beside a model that answers at once: Lichen's own share, and no lost feedback."""
    from ..bench.serve_speed import bench_serve

    found = bench_serve(
        clients=[count for count in numbers(clients, "--clients") if count] or [1],
        requests=requests,
        seconds=seconds,
        say=progress_console.print,
    )
    write_json(found, json_path)
    if json_path != "-":
        table = Table(title=f"bench serve (times in ms): {found['machine']}")
        names = list(dict.fromkeys(key for row in found["rows"] for key in row))
        for name in names:
            table.add_column(name, justify="left" if name == "what" else "right")
        for row in found["rows"]:
            cells = [row.get(name, "") for name in names]
            table.add_row(*(f"{c:.1f}" if isinstance(c, float) else str(c) for c in cells))
        out(json_path).print(table)
    if not found["holds"]:
        raise typer.Exit(1)
