"""`lichen memory`: look at what was learned, export, import, forget, verify."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table

from ...envs.errors import UsageError
from .options import (
    DEFAULT,
    Json,
    LibraryFolder,
    Seed,
    Store,
    folder_of,
    out,
    progress_console,
    row,
    write_json,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...memory.ledger.records import Case


def ls(
    store: Store = None,
    grain: Annotated[
        Literal["episodes", "steps", "subtasks"],
        typer.Option("--grain", help="Whole episodes, steps, or subtasks."),
    ] = "episodes",
    env: Annotated[str | None, typer.Option("--env", help="Only this environment.")] = None,
    most: Annotated[int, typer.Option("--most", min=0, help="Rows to show; 0 for all.")] = 50,
    json_path: Json = None,
) -> None:
    """List the cases in memory, newest first."""
    from ...memory.store.store import Store as Opened

    with Opened(store or DEFAULT, read_only=True) as opened:
        held: dict[str, Iterable[Case]] = {
            "episodes": opened.episodes.values(),
            "steps": opened.steps.values(),
            "subtasks": opened.subtasks.values(),
        }
        found = [c for c in held[grain] if env in (None, c.env)]
        trust = {c.id: opened.trust(c) for c in found}
        pinned = set(opened.pinned)
        found.sort(key=lambda c: -c.rank)
    shown = found[: most or None]
    told = [
        {**c.model_dump(mode="json"), "trust": trust[c.id], "pinned": c.episode in pinned}
        for c in shown
    ]
    write_json({"cases": told, "total": len(found)}, json_path)
    if json_path == "-":
        return
    table = Table(
        title=f"{len(found)} {grain}" + (f", {len(shown)} shown" if shown != found else "")
    )
    for name in ("id", "rank", "family", "source", "trust", "", "what"):
        table.add_column(name, no_wrap=name != "what")  # the last one takes what room is left
    for case in shown:
        worth, what = _said(case)
        row(table, case.id, str(case.rank), case.family, case.source, trust[case.id], worth, what)
    out(json_path).print(table)


def _said(case: "Case") -> tuple[str, str]:
    """Return what a case is worth and what it is about, in a few words."""
    from ...memory.ledger.records import EpisodeCase, StepCase

    if isinstance(case, EpisodeCase):
        return f"{case.outcome} {case.score:.2f}", f"{len(case.actions)} actions: {case.goal}"
    if isinstance(case, StepCase):
        return f"gain {case.gain:+.2f}", case.action
    return case.outcome, f"{case.index + 1} of {case.of}, {len(case.actions)} actions: {case.text}"


def show(
    case_id: Annotated[str, typer.Argument(metavar="ID", help="A case's id, or its beginning.")],
    store: Store = None,
    json_path: Json = None,
) -> None:
    """Show one case, whole, with the events it was derived from, and who was shown it."""
    from ...memory.forgetting.shown_to import effect
    from ...memory.store.curation import held_named
    from ...memory.store.store import Store as Opened

    with Opened(store or DEFAULT, read_only=True) as opened:
        case = held_named(opened, case_id)
        told = {
            **case.model_dump(mode="json"),
            "trust": opened.trust(case),
            "pinned": case.episode in opened.pinned,
            "quarantined": opened.set_apart.get(case.episode, ""),
            "effect": effect(opened, case.episode).model_dump(mode="json"),
        }
    write_json(told, json_path)
    if json_path == "-":
        return
    console = out(json_path)
    for name, value in told.items():
        console.print(f"[bold]{name}[/bold]: ", end="")
        console.print(str(value), markup=False, highlight=False)


def export(
    to: Annotated[Path, typer.Argument(help="The JSONL file to write.")],
    store: Store = None,
    form: Annotated[
        Literal["events", "demonstrations"],
        typer.Option(
            "--form", help="The ledger's events, or successful episodes as demonstrations."
        ),
    ] = "events",
) -> None:
    """Write the ledger (or its successes) as JSONL; damaged rows are left out and named."""
    from ...memory.forgetting.explain import export_demonstrations, export_events
    from ...memory.ledger.ledger import open_ledger

    ledger = open_ledger(store or DEFAULT)
    count, damaged = (export_events if form == "events" else export_demonstrations)(ledger, to)
    for sentence in damaged:
        typer.echo(f"left out: {sentence}", err=True)
    typer.echo(f"{count} {form} written to {to}")
    if damaged:
        raise typer.Exit(1)


def restore(
    file: Annotated[Path, typer.Argument(help="JSONL, as `lichen memory export` writes it.")],
    store: Store = None,
) -> None:
    """Bring the ledger of an export back, exactly, into an empty store or one that it goes on from."""
    from ...memory.ledger.row_checks import read_rows
    from ...memory.store.store import Store as Opened

    rows = read_rows(file)
    with Opened(store or DEFAULT) as opened:
        new = opened.restore(rows)
        typer.echo(f"{new} of {len(rows)} events were new; state {opened.state_hash()}")


def replay(
    store: Store = None,
    verify_: Annotated[
        bool, typer.Option("--verify", help="Compare with what is stored; exit 1 when it differs.")
    ] = False,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", help="Only up to a row number, an event's id or key, or a time."),
    ] = None,
    json_path: Json = None,
) -> None:
    """Fold the ledger again from its first event and print the hash of the state it gives."""
    from ...memory.store.replay import replay as fold_again

    found = fold_again(store or DEFAULT, as_of=as_of, compare=verify_)
    write_json(found.model_dump(mode="json"), json_path)
    if json_path != "-":
        out(json_path).print(
            f"{found.events} events up to row {found.until}: {found.episodes} episodes, "
            f"{found.steps} steps, state {found.state_hash}"
        )
        for problem in found.problems:
            typer.echo(problem, err=True)
    if found.problems:
        raise typer.Exit(1)


def diff(
    before: Annotated[str, typer.Argument(metavar="A", help="Row, event id or key, or time.")],
    after: Annotated[str, typer.Argument(metavar="B", help="The same, later.")],
    store: Store = None,
    json_path: Json = None,
) -> None:
    """Say which episodes came and went between two moments."""
    from ...memory.store.replay import compare

    found = compare(store or DEFAULT, before, after)
    write_json(found.model_dump(mode="json"), json_path)
    if json_path == "-":
        return
    for sign, cases in (("+", found.came), ("-", found.went)):
        for case in cases:
            out(json_path).print(f"{sign} {case.id} {case.outcome} {case.goal}", markup=False)
    out(json_path).print(f"{len(found.came)} came, {len(found.went)} went")


def forget_command(
    name: Annotated[
        str, typer.Argument(metavar="ID", help="Of a case, an episode or a run, or its beginning.")
    ],
    cascade: Annotated[
        bool, typer.Option("--cascade", help="With everything that is derived from it.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    reason: Annotated[str, typer.Option("--reason", help="Kept in the ledger.")] = "",
    library: LibraryFolder = None,
    store: Store = None,
    json_path: Json = None,
) -> None:
    """Forget an episode, or all of a run, for good; the same evidence is refused later.

    Skills that were learned or tested on the same task are named: whether they go is for you to say.
    """
    from ...memory.forgetting.forget import forget
    from ...memory.store.store import Store as Opened
    from ...skills.views import of_tasks

    with Opened(store or DEFAULT, read_only=dry_run) as opened:
        found = forget(opened, name, cascade=cascade, dry_run=dry_run, reason=reason)
    skills = of_tasks(folder_of(library, store), found.tasks)
    write_json({**found.model_dump(mode="json"), "skills": skills}, json_path)
    if json_path == "-":
        return
    console = out(json_path)
    said = "would go" if dry_run else "are gone"
    if not found.events:
        console.print(f"{', '.join(found.episodes)}: forgotten before; nothing is left")
        return
    console.print(
        f"{', '.join(found.tasks)}: {len(found.episodes)} episodes, {found.steps} steps and the content "
        f"of {found.events} events {said}",
        markup=False,
    )
    for folder in found.derived:
        console.print(
            f"{folder}, which was made from it, {'would go' if dry_run else 'is gone'}",
            markup=False,
        )
    for what, flagged in (
        ("episodes saw it and are flagged", found.dependants),
        ("skills know its task: see `lichen skills show`, `edit`, `retire`", skills),
    ):
        if flagged:
            console.print(f"{len(flagged)} {what}:")
            for one in flagged:
                console.print(f"  {one}", markup=False)


def import_(
    file: Annotated[Path, typer.Argument(help="JSONL, one demonstration a line.")],
    store: Store = None,
) -> None:
    """Import demonstrations from a JSONL file; when one line is wrong, none of them.

    A line holds: env, family, split, task_id, goal, outcome, score, and steps, each with text, inventory,
    action, offered, observation, score_before, score_after. `lichen memory export --form demonstrations`
    writes this form.
    """
    from ...memory.store.demonstrations import import_demonstrations, read_jsonl
    from ...memory.store.store import Store as Opened

    found = read_jsonl(file)
    with Opened(store or DEFAULT) as opened:
        new = import_demonstrations(opened, found, run="import")
    typer.echo(f"{len(new)} of {len(found)} demonstrations were new")


def import_gold(
    suite: Annotated[str, typer.Option("--suite", help="A suite: name or file.")],
    episodes: Annotated[int, typer.Option("--episodes", "-n", help="How many training tasks.")],
    store: Store = None,
    seed: Seed = None,
) -> None:
    """Import the benchmark's gold trajectories of a suite's training tasks as demonstrations."""
    from rich.progress import track

    from ...envs.registry import make
    from ...envs.suite import load_suite
    from ...memory.store.demonstrations import from_gold, import_demonstrations
    from ...memory.store.store import Store as Opened

    if episodes < 1:
        raise UsageError("--episodes must be at least 1")
    loaded = load_suite(suite)
    new = 0
    with Opened(store or DEFAULT) as opened:
        environment = make(loaded.env, **loaded.env_options)
        try:
            ids = loaded.task_ids("train", episodes, seed or 0)
            for task_id in track(ids, "importing", console=progress_console):
                new += len(
                    import_demonstrations(opened, from_gold(environment, [task_id]), run="gold")
                )
        finally:
            environment.close()
        total = len(opened.episodes)
    typer.echo(f"{new} of {len(ids)} demonstrations were new; {total} episodes in memory")


def verify(store: Store = None, json_path: Json = None) -> None:
    """Fold the ledger again and compare it with what is stored and indexed; exit 1 on any difference."""
    from ...memory.forgetting.explain import verify_store

    report = verify_store(store or DEFAULT)
    write_json(report.model_dump(mode="json"), json_path)
    if json_path != "-":
        console = out(json_path)
        for sentence in report.problems:
            console.print(sentence, style="red", markup=False)
        console.print(
            f"{report.events} events, {report.episodes} episodes, {report.steps} steps, "
            f"state {report.state_hash}: " + ("all equal" if not report.problems else "NOT equal")
        )
    if report.problems:
        raise typer.Exit(1)
