"""`lichen models`: which models can be named here, and how fast one is."""

from typing import Annotated

import typer
from rich.table import Table

from .options import BaseUrl, Config, Json, out, progress_console, row, settings, write_json


def models(
    measure_: Annotated[
        str | None,
        typer.Option("--measure", help="Load this model and measure how fast it reads and writes."),
    ] = None,
    base_url: BaseUrl = None,
    config: Config = None,
    json_path: Json = None,
) -> None:
    """List the models that are packaged, cached, or on the server of --base-url; measure one of them."""
    from ...envs.errors import LichenError
    from ..config import load_config

    base = load_config(config, **settings(None, base_url=base_url))
    if measure_ is not None:
        from ..llm.open_llm import open_llm, scheme_of
        from ..llm.speed import measure

        url = base.base_url if scheme_of(measure_) == "openai" else None
        found = measure(measure_, lambda: open_llm(measure_, base_url=url, local=base.local))
        write_json(found.model_dump(mode="json"), json_path)
        out(json_path).print(
            f"{found.name}: loaded in {found.load_s:.1f} s, reads {found.read_per_s:.0f} and writes "
            f"{found.write_per_s:.1f} tokens a second; can: {', '.join(found.can) or 'write'}",
            highlight=False,
            markup=False,
        )
        return

    from ..llm.shelf import cached, packaged, served

    listed = [*packaged(), *cached()]
    where = base.model_dump(mode="json", include={"base_url"})
    server = {**where, "says": ""} if base.base_url else None
    if base.base_url:
        try:
            listed += served(base.base_url)
        except LichenError as error:
            server = {**where, "says": str(error)}
            progress_console.print(f"{error} ({error.hint})", markup=False)
    write_json({"models": [m.model_dump(mode="json") for m in listed], "server": server}, json_path)
    if json_path != "-":
        table = Table("name", "where", "size", "can")
        for model in listed:
            size = f"{model.bytes / 1e6:.0f} MB" if model.bytes is not None else ""
            row(table, model.name, model.where, size, ", ".join(model.can))
        out(json_path).print(table)
