"""`lichen bench pages`: the pages of the inspector with many cases; exit 1 when one is slower than the bar."""

from typing import Annotated

import typer
from rich.table import Table

from ...cli.options import Json, out, progress_console, row, write_json


def pages(
    cases: Annotated[int, typer.Option("--cases", min=1, help="Step cases in memory.")] = 100_000,
    rounds: Annotated[int, typer.Option("--rounds", min=2, help="Times of each page.")] = 10,
    json_path: Json = None,
) -> None:
    """Ask every page of the inspector over a large memory; each has to be below 300 ms (95th percentile)."""
    from ..bench.page_speed import bench_pages

    found = bench_pages(cases=cases, rounds=rounds, say=progress_console.print)
    write_json(found, json_path)
    if json_path != "-":
        table = Table(title=f"bench pages, {cases:,} cases: {found['machine']}")
        for name in ("page", "n", "p50 ms", "p95 ms", "status"):
            table.add_column(name, justify="left" if name == "page" else "right")
        for one in found["rows"]:
            times = (f"{one['p50_ms']:.1f}", f"{one['p95_ms']:.1f}")
            row(table, one["what"], str(one["n"]), *times, str(one["status"]))
        out(json_path).print(table)
        out(json_path).print(f"opened in {found['opening_s']} s; the bar is {found['bar_ms']:g} ms")
    if not found["holds"]:
        raise typer.Exit(1)
