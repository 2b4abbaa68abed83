"""`lichen envs`: the environments, their suites, and whether their gold trajectories win."""

from typing import Annotated, Literal

import typer
from rich.progress import Progress
from rich.table import Table

from .options import EnvOption, Json, options_of, out, progress_console, write_json

PER_FAMILY = {"twx": 20, "scienceworld": 1, "crafter": 3}
"""Tasks of each family that `verify` replays by default; environments not named here: all."""


def check_command(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="An environment, or `pkg.module:Class`.")
    ],
    option: EnvOption = None,
    tasks: Annotated[
        int, typer.Option("--tasks", min=1, help="Tasks of each family that are tried.")
    ] = 2,
    json_path: Json = None,
) -> None:
    """Check that an environment keeps the protocol, also in two processes; exit 1 when it does not."""
    from ...envs.two_processes import checked

    report = checked(name, options_of(option), tasks)
    write_json({**report.model_dump(mode="json"), "holds": report.holds}, json_path)
    if json_path != "-":
        console = out(json_path)
        for problem in report.problems:
            console.print(problem, style="red", markup=False, highlight=False)
        console.print(
            f"{report.tasks} tasks, {report.steps} steps: {report.median_ms:.2f} ms a step at the "
            f"median, {report.most_ms:.2f} at most"
        )
        console.print("the protocol is kept" if report.holds else "the protocol is not kept")
    if not report.holds:
        raise typer.Exit(1)


def list_(json_path: Json = None) -> None:
    """List the environments, and whether each can be used here."""
    from ...envs.errors import LichenError
    from ...envs.registry import make, names

    found = []
    for name in names():
        try:
            environment = make(name)
            says, families = "ready", len(environment.families())
        except LichenError as error:
            says, families = f"{error} ({error.hint})", 0
        found.append({"name": name, "families": families, "says": says})
    write_json({"environments": found}, json_path)
    if json_path != "-":
        table = Table("name", "families", "")
        for row in found:
            table.add_row(*map(str, row.values()))
        out(json_path).print(table)


def suites(json_path: Json = None) -> None:
    """List the suites that ship with Lichen."""
    from ...envs.suite import load_suite, suite_names

    found = [load_suite(name) for name in suite_names()]
    write_json({"suites": [s.model_dump(mode="json") for s in found]}, json_path)
    if json_path != "-":
        table = Table("name", "environment", "steps", "")
        for suite in found:
            table.add_row(suite.name, suite.env, str(suite.max_steps), suite.description)
        out(json_path).print(table)


def show(
    task_id: Annotated[
        str, typer.Argument(metavar="TASK", help="A task id; `pkg.module:Class/...` names a class.")
    ],
    option: EnvOption = None,
) -> None:
    """Show a task as an agent first sees it."""
    from ...envs.registry import located, make

    name, task_id = located(task_id)
    environment = make(name, **options_of(option))
    try:
        seen = environment.reset(task_id)
    finally:
        environment.close()
    console = out(None)
    console.print(f"{seen.task.id}: {seen.task.family}, {seen.task.split}", style="bold")
    for text in (seen.goal, "", seen.text, seen.inventory, ""):
        console.print(text, markup=False, highlight=False)
    console.print("; ".join(seen.admissible or ("any text",)), markup=False, highlight=False)


def verify_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of an environment.")],
    split: Annotated[
        Literal["train", "dev", "test"] | None, typer.Option("--split", help="Only this split.")
    ] = None,
    per_family: Annotated[
        int | None,
        typer.Option(
            "--per-family",
            min=1,
            help="Tasks of each family. [default: twx 20, crafter 3, scienceworld 1, others all]",
        ),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Replay every task, not a sample.")] = False,
    json_path: Json = None,
) -> None:
    """Replay the gold trajectories and count which win; exit 1 when one does not."""
    from ...envs.registry import make
    from ...envs.types import SPLITS
    from ...envs.verify import sample, verify

    environment = make(name)
    try:
        count = None if all_ else (per_family or PER_FAMILY.get(environment.name))
        tasks = sample(environment, [split] if split else list(SPLITS), count)
        with Progress(console=progress_console) as progress:
            bar = progress.add_task(f"verifying {name}", total=len(tasks))
            report = verify(
                environment, tasks, lambda done, _: progress.update(bar, completed=done)
            )
    finally:
        environment.close()
    write_json({**report.model_dump(mode="json"), "holds": report.holds}, json_path)
    if json_path != "-":
        console = out(json_path)
        for name_, tried in report.tried.items():
            console.print(f"{name_}: {report.won[name_]} of {tried} gold trajectories win")
        console.print(", ".join(f"{k} {v}" for k, v in report.by_family.items()))
        if report.without:
            console.print(f"{report.without} tasks have no known gold trajectory")
        for lost in report.lost[:20]:
            console.print(f"does not win: {lost}", style="red")
    if not report.holds:
        raise typer.Exit(1)
