"""`lichen serve`: the agent over HTTP, and the keys of those who may use it."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from .options import (
    DEFAULT,
    BaseUrl,
    Config,
    Json,
    Model,
    Set,
    Store,
    out,
    row,
    settings,
    write_json,
)

KeyFile = Annotated[
    Path | None,
    typer.Option("--keys", help="File of the keys. [default: serve-keys.json in the store]"),
]


def serve(
    host: Annotated[
        str, typer.Option("--host", help="Address; other than this machine only with keys.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: a free one.")] = 8000,
    keys: KeyFile = None,
    name: Annotated[str, typer.Option("--name", help="Of the agent as a model.")] = "lichen",
    body: Annotated[
        int, typer.Option("--body", min=1, help="Bytes of one request at most.")
    ] = 1_048_576,
    rate: Annotated[
        int, typer.Option("--rate", min=0, help="Requests of a key in a minute; 0: no limit.")
    ] = 600,
    drain: Annotated[
        float, typer.Option("--drain", min=1, help="Seconds to end in after SIGTERM.")
    ] = 30.0,
    config: Config = None,
    store: Store = None,
    model: Model = None,
    base_url: BaseUrl = None,
    set_: Set = None,
) -> None:
    """Serve the agent over HTTP: OpenAI's chat completions, REST over runs, memory and skills, the inspector.

    Without keys only this machine itself is served. Keys are those of the file, and of LICHEN_SERVE_KEYS.
    """
    from contextlib import closing

    from ..agent import Agent
    from ..config import load_config
    from ..doors.http.serve import serve as serve_agent

    options = settings(set_, store=store, model=model, base_url=base_url)
    found = load_config(config, **options)
    from ..doors.http.gate import ServeLimits
    from ..doors.http.keys import FILE, VARIABLE, KeyRing
    from ..doors.inspector.inspector_app import inspected_of, inspector_app

    file, given = keys or found.store / FILE, os.environ.get(VARIABLE, "")
    ring = KeyRing(file, given) if given.strip() or file.exists() else None
    limits = ServeLimits(body=body, rate=rate or None)
    with Agent(found) as agent, closing(inspected_of(agent)) as inspected:
        pages = inspector_app(inspected, ring)
        once = pages.state.sessions.one_time()

        def say(address: str) -> None:
            typer.echo(f"Lichen listens on {address}/v1 as the model {name!r}")
            typer.echo(f"Inspector: {address}/inspect/sign-in?key={once}")

        serve_agent(
            agent,
            host=host,
            port=port,
            keys=ring,
            limits=limits,
            name=name,
            beside={"/inspect": pages},
            drain=drain,
            say=say,
            ending=inspected.end,
        )


def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose key it is.")],
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", help="ask, read or edit; repeatable. [default: all]"),
    ] = None,
    namespace: Annotated[
        str, typer.Option("--namespace", help="It acts for this and all below it.")
    ] = "",
    keys: KeyFile = None,
    store: Store = None,
) -> None:
    """Make a key, and show it this once: only its hash is kept."""
    from ..doors.http.keys import FILE, SCOPES, add_key

    secret = add_key(keys or (store or DEFAULT) / FILE, name, scope or SCOPES, namespace)
    typer.echo(secret)


def ls(keys: KeyFile = None, store: Store = None, json_path: Json = None) -> None:
    """List the keys: names, scopes, namespaces."""
    from ..doors.http.keys import FILE, read_keys

    held = read_keys(keys or (store or DEFAULT) / FILE)
    write_json(
        {"keys": [key.model_dump(mode="json", exclude={"sha256"}) for key in held]}, json_path
    )
    if json_path == "-":
        return
    table = Table(title=f"{len(held)} keys")
    for column in ("name", "scopes", "namespace"):
        table.add_column(column)
    for key in held:
        row(table, key.name, ", ".join(key.scopes), key.namespace or "(everyone)")
    out(json_path).print(table)


def rm(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose key it is.")],
    keys: KeyFile = None,
    store: Store = None,
) -> None:
    """Take a key away; a server that runs refuses it at once."""
    from ..doors.http.keys import FILE, remove_key

    remove_key(keys or (store or DEFAULT) / FILE, name)
    typer.echo(f"{name} is gone")
