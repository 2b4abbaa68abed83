"""`lichen memory playbook`: rules in words that a model reads before a task."""

from typing import Annotated

import typer

from .options import (
    DEFAULT,
    BaseUrl,
    Config,
    Json,
    Model,
    Seed,
    Set,
    Store,
    SuiteArgument,
    out,
    progress_console,
    row,
    settings,
    write_json,
)

BulletId = Annotated[str, typer.Argument(metavar="ID", help="Of a bullet, or its beginning.")]
Words = Annotated[str, typer.Argument(metavar="TEXT", help="What it should say.")]
Reason = Annotated[str, typer.Option("--reason", help="Kept in the ledger.")]


def learn_playbook(
    suite: SuiteArgument,
    calls: Annotated[
        int, typer.Option("--calls", min=4, help="Episodes that the search may run.")
    ] = 40,
    reflector: Annotated[
        str | None,
        typer.Option("--reflector", help="Model that writes: as --model. [default: the same]"),
    ] = None,
    store: Store = None,
    config: Config = None,
    model: Model = None,
    base_url: BaseUrl = None,
    seed: Seed = None,
    set_: Set = None,
    json_path: Json = None,
) -> None:
    """Search for better rules on remembered tasks (GEPA), and promote them if held-out tasks gain.

    Exit status 1: nothing was promoted.
    """
    from ...envs.suite import load_suite
    from ..config import load_config
    from ..llm.open_llm import open_llm
    from ..open_agent import OpenAgent
    from ..playbook.playbook_search import search_playbook

    options = settings(set_, model=model, base_url=base_url, seed=seed, store=store)
    base = load_config(config, **options)
    with OpenAgent(base) as agent:
        writer = (
            open_llm(reflector, base_url=base.base_url, local=base.local) if reflector else None
        )
        found = search_playbook(
            agent,
            load_suite(suite),
            calls=calls,
            reflector=writer,
            told=lambda said: progress_console.print(said, markup=False),
        )
        if writer is not None:
            agent.wait(writer.close())
    console = out(json_path)
    for bullet in found.bullets:
        console.print(f"- {bullet}", markup=False)
    if found.gain is None:
        console.print("nothing better than the present playbook was found", markup=False)
    else:
        mean, low, high = found.gain
        console.print(
            f"gain on {found.held} held-out tasks {mean:+.2f} [{low:+.2f}, {high:+.2f}], over its words "
            f"shuffled {found.over_placebo:+.2f}: "
            + ("promoted" if found.promoted else "NOT promoted"),
            markup=False,
        )
    write_json(found.model_dump_json(indent=1), json_path)
    if not found.promoted:
        raise typer.Exit(1)


def list_playbook(store: Store = None, json_path: Json = None) -> None:
    """List the bullets of every environment, with what they were learned from and gained."""
    from rich.table import Table

    from ...memory.store.playbook import bullets_of
    from ...memory.store.store import Store as Opened

    with Opened(store or DEFAULT, read_only=True) as opened:
        held = bullets_of(opened)
    table = Table()
    for name in ("id", "environment", "rule", "learned from", "gain", "by"):
        table.add_column(name, overflow="fold")
    for bullet in held:
        gain = bullet.gain
        row(
            table,
            bullet.id,
            bullet.env,
            bullet.text,
            f"{len(bullet.evidence)} episodes" if bullet.evidence else "",
            f"{gain[0]:+.2f} [{gain[1]:+.2f}, {gain[2]:+.2f}]" if gain else "",
            bullet.by,
        )
    out(json_path).print(table)
    write_json({"bullets": [bullet.model_dump(mode="json") for bullet in held]}, json_path)


def add_to_playbook(
    env: Annotated[str, typer.Argument(help="Environment that it is about.")],
    text: Words,
    reason: Reason = "",
    store: Store = None,
) -> None:
    """Add a rule of your own; it is read from the next task on."""
    from ...memory.store.playbook import add_bullet
    from ...memory.store.store import Store as Opened

    with Opened(store or DEFAULT) as opened:
        bullet = add_bullet(opened, env, text, reason=reason)
    out(None).print(f"{bullet.id} {bullet.text}", markup=False)


def edit_playbook(name: BulletId, text: Words, reason: Reason = "", store: Store = None) -> None:
    """Correct a rule; what it was learned from stays known."""
    from ...memory.store.playbook import edit_bullet
    from ...memory.store.store import Store as Opened

    with Opened(store or DEFAULT) as opened:
        bullet = edit_bullet(opened, name, text, reason=reason)
    out(None).print(f"{bullet.id} {bullet.text}", markup=False)


def remove_from_playbook(name: BulletId, reason: Reason = "", store: Store = None) -> None:
    """Take a rule out; the ledger keeps it."""
    from ...memory.store.playbook import take_out
    from ...memory.store.store import Store as Opened

    with Opened(store or DEFAULT) as opened:
        bullet = take_out(opened, name, reason=reason)
    out(None).print(f"taken out: {bullet.text}", markup=False)
