"""`lichen bench repair`: replay a model's refused calls, mended by what other tasks taught."""

from pathlib import Path
from typing import Annotated

import typer

from ...cli.options import Json, out, write_json


def repair(
    env: Annotated[str, typer.Argument(help="Environment whose calls are looked at.")],
    stores: Annotated[list[Path], typer.Argument(help="Folders of stores with own episodes.")],
    json_path: Json = None,
) -> None:
    """Count which refused calls of own episodes would have been mended and then accepted.

    Exit status 1: a call that was accepted would have been touched.
    """
    from ..bench.call_repairs import repairs_in
    from ..kernel.tables import table

    found = repairs_in(stores, env)
    rows = [(tool, str(n), str(ok)) for tool, (n, ok) in found.by_tool.items()]
    console = out(json_path)
    console.print(
        table(f"refused calls, {env}", ("tool", "refused", "mended"), rows, left=("tool",))
    )
    console.print(
        f"{found.refused} of {found.calls} calls were refused; {found.mended} would have been mended, "
        f"{found.accepted} of those accepted; accepted calls touched: {found.touched}",
        markup=False,
        highlight=False,
    )
    write_json(found.model_dump_json(indent=1), json_path)
    if found.touched:
        raise typer.Exit(1)
