"""`lichen memory tools | doctor | reverify`: what calls of tools came to, and what still holds."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from .options import DEFAULT, Json, Store, out, progress_console, row, write_json

if TYPE_CHECKING:
    from ...envs.base import Environment
    from ...memory.store.store import Store as Opened


def tools(
    env: Annotated[str | None, typer.Option("--env", help="Only this environment.")] = None,
    suggest: Annotated[
        str | None, typer.Option("--suggest", help="Rank tools for this subtask, in words.")
    ] = None,
    store: Store = None,
    json_path: Json = None,
) -> None:
    """Say what calls came to, by tool and argument pattern; or which tools a subtask asks for."""
    from ...memory.recall.case_memory import CaseMemory
    from ...memory.store.store import Store as Opened
    from ...memory.tools.tool_memory import ToolMemory

    with Opened(store or DEFAULT, read_only=True) as opened:
        memories = [ToolMemory(CaseMemory(opened), name) for name in _names(opened, env)]
        suggestions = [s for m in memories for s in m.suggest(suggest)] if suggest else []
        records = [] if suggest else [record for m in memories for record in m.records()]
    write_json(
        {
            "tools": [record.model_dump(mode="json") for record in records],
            "suggestions": [one.model_dump(mode="json") for one in suggestions],
        },
        json_path,
    )
    if json_path == "-":
        return
    console = out(json_path)
    if suggest:
        for one in suggestions:
            console.print(
                f"{one.score:.2f}  {one.tool}  for example {one.example.arguments}", markup=False
            )
        if not suggestions:
            console.print("No like subtask is remembered.")
        return
    table = Table(title=f"{len(records)} tools")
    for name in (
        "env",
        "tool",
        "contract",
        "calls",
        "worked",
        "at least",
        "ms",
        "arguments",
        "errors",
    ):
        table.add_column(name, no_wrap=name not in ("arguments", "errors"))
    for record in records:
        row(
            table,
            record.env,
            record.tool or "(no call)",
            record.schema_hash[:8],
            str(record.n),
            f"{record.ok / record.n:.2f}",
            f"{record.low:.2f}",
            "-" if record.latency_ms is None else f"{record.latency_ms:.1f}",
            "; ".join(
                ", ".join(f"{name} {origin}" for name, origin in p.arguments.items())
                + f" {p.ok}/{p.n}"
                for p in record.patterns[:3]
            ),
            "; ".join(f"{n}x {error}" for error, n in record.errors[:2]),
        )
    console.print(table)


def _names(opened: "Opened", env: str | None) -> list[str]:
    """Return the environment that was asked for, else all that the memory knows, sorted."""
    return [env] if env is not None else sorted({case.env for case in opened.steps.values()})


def _environments(opened: "Opened", env: str | None) -> Iterator["Environment"]:
    """Yield those environments, open one at a time; one that is not registered is left out, and named."""
    from ...envs.registry import make, names

    for name in _names(opened, env):
        if env is None and name not in names():
            progress_console.print(f"{name} was left out: no such environment is registered")
            continue
        environment = make(name)
        try:
            yield environment
        finally:
            environment.close()


def doctor(
    env: Annotated[str | None, typer.Option("--env", help="Only this environment.")] = None,
    store: Store = None,
    json_path: Json = None,
) -> None:
    """List exactly what used a tool whose contract changed since; exit 1 when there is any. Changes nothing."""
    from ...memory.store.store import Store as Opened
    from ...memory.tools.contract_doctor import changes

    found = []
    with Opened(store or DEFAULT, read_only=True) as opened:
        for environment in _environments(opened, env):
            found += changes(opened, environment)
    write_json({"changes": [change.model_dump(mode="json") for change in found]}, json_path)
    if json_path != "-":
        console = out(json_path)
        for change in found:
            now = f"has the contract {change.now} now" if change.now else "is gone"
            console.print(
                f"{change.env}: the tool {change.tool} {now}; {len(change.episodes)} episodes, "
                f"{len(change.steps)} steps and {len(change.subtasks)} subtasks used another:",
                markup=False,
            )
            for case in (*change.episodes, *change.steps, *change.subtasks):
                console.print(f"  {case}")
        if not found:
            console.print("Every tool has the contract under which memory used it.")
    if found:
        raise typer.Exit(1)


def reverify_command(
    env: Annotated[str | None, typer.Option("--env", help="Only this environment.")] = None,
    store: Store = None,
    json_path: Json = None,
) -> None:
    """Replay what is quarantined under the contracts of now; exit 1 when something does not hold."""
    from ...memory.store.store import Store as Opened
    from ...memory.tools.contract_doctor import EpisodeReplay, reverify

    def say(replay: EpisodeReplay) -> None:
        said = "holds" if replay.holds else "does NOT hold"
        said = "could not be replayed" if replay.outcome == "unknown" else said
        progress_console.print(
            f"{replay.case} {replay.task_id}: {said} {replay.reason}", markup=False
        )

    done = []
    with Opened(store or DEFAULT) as opened:
        for environment in _environments(opened, env):
            done += reverify(opened, environment, say)
    write_json({"replays": [replay.model_dump(mode="json") for replay in done]}, json_path)
    held = sum(replay.holds for replay in done)
    if json_path != "-":
        out(json_path).print(f"{held} of {len(done)} quarantined episodes hold and are released")
    if held < len(done):
        raise typer.Exit(1)
