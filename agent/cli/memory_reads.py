"""`lichen memory why | tools | doctor | reverify`: why it did that, what tools came to, what still holds."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from .options import Json, Store, out, progress_console, row, write_json

if TYPE_CHECKING:
    from rich.console import Console

    from ...envs.base import Environment
    from ...memory.forgetting.why import Why
    from ...memory.store.store import Store as Opened

DEFAULT = Path(".lichen")


def register(app: typer.Typer) -> None:
    """Add the commands to `lichen memory`."""
    app.command("why")(why)
    app.command("tools")(tools)
    app.command("doctor")(doctor)
    app.command("reverify")(reverify_command)


def why(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="Id of an episode or a run, or its beginning.")
    ],
    step: Annotated[
        int | None, typer.Argument(metavar="[STEP]", help="Step number, from 0; all without it.")
    ] = None,
    store: Store = None,
    json_path: Json = None,
) -> None:
    """Say why the agent did what it did: every considered item, exposed or not, and what it is worth."""
    from ...memory.forgetting.why import explain, explain_all
    from ...memory.ledger.errors import UnknownCase
    from ...memory.store.store import Store as Opened

    with Opened(store or DEFAULT, read_only=True) as opened:
        found = list(explain_all(opened, run)) if step is None else [explain(opened, run, step)]
    if not found:
        raise UnknownCase(f"no recorded episode or run has an id that begins with {run!r}")
    write_json(
        found[0].model_dump(mode="json")
        if step is not None
        else {"steps": [one.model_dump(mode="json") for one in found]},
        json_path,
    )
    if json_path != "-":
        for one in found:
            _print(one, out(json_path))


def _print(answer: "Why", console: "Console") -> None:
    console.print(f"{answer.episode}, step {answer.step}: {answer.goal}", markup=False)
    console.print(f"saw: {answer.text}", markup=False, highlight=False)
    kl = "" if answer.kl is None else f"   KL from the frozen model {answer.kl:.2f} nats"
    refused = f"   refused: {answer.error}" if answer.error else ""
    console.print(f"did: {answer.action}{refused}{kl}", style="bold", markup=False)
    for read in answer.reads:
        if not read.items:
            console.print(
                f"The memory abstained: none of {read.considered} {read.grain} was near enough."
            )
            continue
        shown = sum(item.shown for item in read.items)
        table = Table(title=f"{shown} of {read.considered} considered {read.grain} were exposed")
        for name in ("case", "read", "worth", "what it did"):
            table.add_column(name)
        for item in read.items:
            near = "" if item.similarity is None else f"near {item.similarity:.2f}, "
            known, outcomes = item.uplift, item.outcomes
            uplift = (
                f"uplift {known.mean:+.2f} [{known.low:+.2f}, {known.high:+.2f}]; score "
                f"{_mean(outcomes.shown_score)} in {outcomes.shown} shown, "
                f"{_mean(outcomes.held_score)} in {outcomes.held} held out"
                if known.n
                else "uplift not known"
            )
            gain = "" if item.gain is None else f"gain {item.gain:+.2f}; "
            row(
                table,
                f"{item.case}\n{item.trust}, {item.source}",
                f"{near}shown with {item.propensity:.2f}\n{item.reason}",
                f"{gain}{uplift}",
                f"{item.action}\n{item.task_id}".strip(),
                style=None if item.shown else "dim",
            )
        console.print(table)


def _mean(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


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
    """EpisodeReplay what is quarantined under the contracts of now; exit 1 when something does not hold."""
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
