"""`lichen mcp`: memory and skills for MCP clients, over standard streams or on this machine's own address."""

import sys
from typing import Annotated

import typer

from .options import Config, LibraryFolder, Set, Store, settings


def mcp(
    namespace: Annotated[
        str, typer.Option("--namespace", help="Whose memory it is, as team/user.")
    ] = "",
    kind: Annotated[
        str,
        typer.Option("--kind", help="Of work: what is remembered of one is not told for another."),
    ] = "memory",
    http: Annotated[
        bool, typer.Option("--http", help="Streamable HTTP on 127.0.0.1, and not standard streams.")
    ] = False,
    port: Annotated[
        int, typer.Option("--port", min=1, max=65535, help="Of the HTTP address.")
    ] = 8001,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Only recall: beside another process that learns.")
    ] = False,
    config: Config = None,
    store: Store = None,
    library: LibraryFolder = None,
    set_: Set = None,
) -> None:
    """Serve memory and skills to an MCP client: Claude Code, Cursor, and others."""
    from contextlib import closing

    from ...memory.likeness.embedder import open_embedder
    from ...memory.memory import Memory
    from ..config import load_config
    from ..doors.mcp_server import mcp_server
    from ..doors.mcp_skills import McpSkills
    from ..skill_actions.open_library import FOLDER

    found = load_config(config, **settings(set_, store=store))
    embedder = open_embedder(found.embedder)
    root = library or found.skills.library or found.store / FOLDER
    with (
        Memory(
            found.store,
            name=kind,
            config=found.retriever,
            embedder=embedder,
            index_url=found.index_url,
            read_only=read_only,
            seed=found.seed,
        ) as memory,
        closing(McpSkills(root, memory.store.embedder, level=found.skills.jail)) as skills,
    ):
        server = mcp_server(memory, skills, namespace=namespace)
        if http:
            typer.echo(f"Lichen listens on http://127.0.0.1:{port}/mcp", err=True)
            server.run(
                "http",
                show_banner=False,
                host="127.0.0.1",
                port=port,
                host_origin_protection=True,
                log_level="warning",
            )
        else:
            assert sys.__stdout__ is not None
            sys.stdout = (
                sys.__stdout__
            )  # the protocol's own stream: nothing in it is for a terminal
            server.run("stdio", show_banner=False, log_level="ERROR")
