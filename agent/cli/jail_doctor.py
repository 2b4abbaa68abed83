"""`lichen skills jail doctor`: what protects on this machine."""

import typer
from rich.table import Table

from .options import Json, out, row, write_json


def doctor(json_path: Json = None) -> None:
    """Try every layer on this machine; exit 1 when the default level cannot be had."""
    from ...skills.jail import layers

    found = layers()
    stands = next(layer.present for layer in found if layer.name == "level kernel")
    write_json({"layers": [layer.model_dump() for layer in found], "holds": stands}, json_path)
    if json_path != "-":
        table = Table()
        table.add_column("layer", no_wrap=True)
        table.add_column("")
        table.add_column("here")
        for layer in found:
            row(
                table,
                layer.name,
                "yes" if layer.present else "no",
                layer.detail,
                style=None if layer.present else "yellow",
            )
        console = out(json_path)
        console.print(table)
        console.print(
            "skills run in the jail of level kernel"
            if stands
            else "no skill runs here until a layer is mended, or a weaker level is named with --jail",
            style=None if stands else "red",
        )
    if not stands:
        raise typer.Exit(1)
