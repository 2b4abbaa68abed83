"""`lichen softcot probe`: whether a model takes soft thoughts, tested before they are used."""

import typer

from ...envs.errors import UsageError
from .options import Config, Json, Model, Set, out, settings, write_json


def probe_command(
    config: Config = None, model: Model = None, set_: Set = None, json_path: Json = None
) -> None:
    """Test whether the model reads embeddings of words as it reads the words; exit status 1: it does not."""
    from ..config import load_config
    from ..llm.frozen import open_frozen
    from ..llm.open_llm import scheme_of
    from ..softcot.probe import probe

    base = load_config(config, **settings(set_, model=model))
    if scheme_of(base.model):
        raise UsageError(
            "soft thoughts need a model in this process, and a server was named",
            hint="Name a folder, a GGUF file or a hub id with --model.",
        )
    found = probe(open_frozen(base.model, base.local))
    said = "usable" if found.usable else f"not usable: {found.reason}"
    out(json_path).print(f"soft thoughts: {said}", highlight=False, markup=False)
    write_json(found.model_dump(mode="json"), json_path)
    if not found.usable:
        raise typer.Exit(1)
