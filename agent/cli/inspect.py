"""`lichen inspect`: see and edit what an agent knows, in a browser."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from .options import Config, LibraryFolder, Set, Store, settings


def inspect(
    edit: Annotated[
        bool,
        typer.Option(
            "--edit", help="Open the store for writing too, which one process at a time can."
        ),
    ] = False,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: a free one.")] = 0,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open it in the browser.")
    ] = True,
    screenshots: Annotated[
        Path | None,
        typer.Option("--screenshots", help="Write a picture of every page there, and end."),
    ] = None,
    config: Config = None,
    store: Store = None,
    library: LibraryFolder = None,
    set_: Set = None,
) -> None:
    """See what an agent knows in a browser: is it learning, episodes, memory, skills, tools, settings.

    Only this machine is served, and without --edit the store is only looked at, also while an agent writes to
    it. `lichen serve` has the same pages at /inspect, for others too, with keys.
    """
    import webbrowser

    from ...envs.errors import UsageError
    from ...memory.likeness.embedder import open_embedder
    from ...memory.store.store import Store as Opened
    from ..config import load_config
    from ..doors.http.gate import Gate, ServeLimits
    from ..doors.http.serve import serve_app
    from ..doors.inspector.inspector_app import inspector_app
    from ..doors.inspector.seen.inspected import Inspected, changing

    found = load_config(config, **settings(set_, store=store))
    if library is not None:
        found = found.model_copy(
            update={"skills": found.skills.model_copy(update={"library": library})}
        )
    if not edit and not (found.store / "ledger.sqlite").exists():
        raise UsageError(
            f"there is no store in {found.store}",
            hint="--store names another; `lichen run SUITE` makes one.",
        )
    with ExitStack() as held:
        embedder = open_embedder(found.embedder)
        change = None
        if edit:
            change = changing(held.enter_context(Opened(found.store, embedder=embedder)))
        inspected = Inspected(
            found, embedder, change, "the store is only looked at: say `lichen inspect --edit`"
        )
        held.callback(inspected.close)
        pages = inspector_app(inspected)
        if screenshots is not None:
            from ..doors.inspector.screenshots import take

            for file in take(pages, screenshots):
                typer.echo(str(file))
            return

        def say(address: str) -> None:
            link = f"{address}/sign-in?key={pages.state.sessions.one_time()}"
            typer.echo(f"Inspector: {link if edit else address}")
            if browser:
                webbrowser.open(link if edit else address)

        inspected.warm()
        gate = Gate(pages, keys=None, limits=ServeLimits(rate=None))
        serve_app(gate, host="127.0.0.1", port=port, say=say, ending=inspected.end)
