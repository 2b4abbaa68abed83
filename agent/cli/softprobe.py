"""`lichen softcot probe`: which ways for soft thoughts a model has, each tested before it is used."""

from typing import TYPE_CHECKING, Annotated

import typer

from ...envs.errors import UsageError
from .options import BaseUrl, Config, Json, Model, Set, out, settings, write_json

if TYPE_CHECKING:
    from ..softcot.transports.protocol import Probe, Transport


def probe_command(
    twin: Annotated[
        str | None,
        typer.Option(
            "--twin", help="For a server: the same model here (folder, GGUF file or hub id)."
        ),
    ] = None,
    config: Config = None,
    model: Model = None,
    base_url: BaseUrl = None,
    set_: Set = None,
    json_path: Json = None,
) -> None:
    """Test each way for soft thoughts: embeddings of words must give the answer of the words.

    Exit status 1 when no way is usable: the hint in words is left then.
    """
    import asyncio

    from ..config import load_config
    from ..llm.openai_client import OpenAILLM, ServerConfig
    from ..llm.registry import SERVER
    from ..softcot.models import open_frozen
    from ..softcot.transports.local import LocalTransport
    from ..softcot.transports.probe import probe
    from ..softcot.transports.servers import SGLang, VLLMChat, VLLMCompletions

    base = load_config(config, **settings(set_, model=model, base_url=base_url))
    remote = base.model.startswith(SERVER)
    if remote and twin is None:
        raise UsageError(
            "a server is tested with the same model at hand", hint="Name it: --twin FOLDER."
        )
    llm = open_frozen(str(twin) if remote else base.model)
    server = OpenAILLM(base.model.removeprefix(SERVER), ServerConfig(base_url=base.base_url))
    ways: list[Transport] = (
        [kind(server, llm) for kind in (VLLMChat, VLLMCompletions, SGLang)]
        if remote
        else [LocalTransport(llm)]
    )

    async def all_of_them() -> "list[Probe]":
        return [await probe(way, llm) for way in ways]

    made = asyncio.run(all_of_them())
    console = out(json_path)
    for found in made:
        said = "usable" if found.usable else f"not usable: {found.reason}"
        console.print(f"{found.transport}: {said}", highlight=False, markup=False)
    console.print("verbal: usable with every model")
    write_json({"transports": [p.model_dump(mode="json") for p in made]}, json_path)
    if not any(found.usable for found in made):
        raise typer.Exit(1)
