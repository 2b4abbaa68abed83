"""`lichen bench competence | candidates | weights`: what Lichen keeps of a model whose competence is known."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from ....envs.errors import UsageError
from ...cli.options import Json, Store, out, progress_console, write_json
from ..kernel.tables import table

Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of every random choice.")]
FILE = "competence.jsonl"


def competence(
    suites: Annotated[
        str,
        typer.Option("--suites", help="Suites, by commas; those whose data is missing are said."),
    ] = "alfworld-mini,twx-mapreader,textcraft,bfcl,alfworld",
    ways: Annotated[
        str, typer.Option("--ways", help="Ways of answering, by commas; `all` for all seven.")
    ] = "all",
    levels: Annotated[
        str, typer.Option("--levels", help="Competences in [0, 1], by commas.")
    ] = "0,0.3,0.6,0.9,1",
    tasks: Annotated[int, typer.Option("--tasks", min=1, help="Held-out tasks of a suite.")] = 20,
    demonstrations: Annotated[
        int, typer.Option("--demonstrations", min=1, help="In memory, of each suite.")
    ] = 30,
    seed: Seed = 0,
    store: Store = None,
    json_path: Json = None,
) -> None:
    """Run models of known competence alone, inside Lichen, and with memory; exit 1 when the bars do not hold.

    The same call goes on where it stopped.
    """
    from ..competence.competence_report import report
    from ..competence.competence_run import CompetenceRow, run_suite, suites_here
    from ..competence.simulated_llm import WAYS
    from ..kernel.rows import RowFile

    asked = WAYS if ways == "all" else tuple(way for way in WAYS if way in ways.split(","))
    if not asked or (ways != "all" and len(asked) < len(set(ways.split(",")))):
        raise UsageError(f"--ways {ways!r} is not a list of {', '.join(WAYS)}")
    try:
        chosen = [float(level) for level in levels.split(",")]
    except ValueError:
        chosen = [-1.0]
    if not all(0 <= level <= 1 for level in chosen):
        raise UsageError(f"--levels {levels!r} is not a list of numbers in [0, 1]")
    folder = store or Path(".lichen") / "competence"
    identity = {"tasks": tasks, "demonstrations": demonstrations, "seed": seed}
    rows = RowFile(folder / FILE, identity, CompetenceRow.model_validate_json)
    found = suites_here(suites.split(","), progress_console.print)
    for suite in found:
        run_suite(
            suite,
            folder / suite.name,
            rows,
            ways=asked,
            levels=chosen,
            tasks=tasks,
            demonstrations=demonstrations,
            seed=seed,
            say=lambda text: progress_console.print(text, highlight=False),
        )
    names = {suite.name for suite in found}
    wanted = [
        row
        for row in rows.rows.values()
        if row.suite in names and (not row.way or (row.way in asked and row.competence in chosen))
    ]
    made = report(wanted, seed=seed)
    write_json(made, json_path)
    if json_path != "-":
        _print(made, out(json_path))
    raise typer.Exit(0 if made["holds"] else 1)


def candidates(
    suites: Annotated[
        str, typer.Option("--suites", help="Suites, by commas.")
    ] = "alfworld,scienceworld-8,twx-all,bfcl",
    tasks: Annotated[int, typer.Option("--tasks", min=1, help="Dev tasks of a suite.")] = 20,
    seed: Seed = 0,
    json_path: Json = None,
) -> None:
    """Count the gold states at which what the expert does is among the options of the decision."""
    from ..competence.candidates import bench_candidates
    from ..competence.competence_run import suites_here

    say = progress_console.print
    made = bench_candidates(suites_here(suites.split(","), say), tasks=tasks, seed=seed, say=say)
    write_json(made, json_path)
    if json_path != "-":
        shown = table(
            "the expert's action among the options", ["suite", "states", "among", "listed"]
        )
        for row in made["rows"]:
            shown.add_row(row["what"], str(row["n"]), f"{row['among']:.3f}", f"{row['listed']:.3f}")
        out(json_path).print(shown)
    raise typer.Exit(0 if made["holds"] else 1)


def weights(
    model: Annotated[
        str, typer.Option("--model", help="As the settings name it.")
    ] = "smollm2-135m",
    suites: Annotated[
        str, typer.Option("--suites", help="Suites, by commas.")
    ] = "twx-mapreader,twx-all,alfworld-mini,alfworld,scienceworld-8",
    demonstrations: Annotated[
        int, typer.Option("--demonstrations", min=2, help="In memory, of each suite.")
    ] = 24,
    seed: Seed = 0,
    json_path: Json = None,
) -> None:
    """Measure what a model's word is worth beside memory's, over suites: the prior that ships with it."""
    from ..bench.model_weights import bench_weights
    from ..competence.competence_run import suites_here

    say = progress_console.print
    made = bench_weights(
        suites_here(suites.split(","), say),
        model=model,
        demonstrations=demonstrations,
        seed=seed,
        say=say,
    )
    write_json(made, json_path)
    if json_path != "-":
        names = ("first", "scores", "value", "novelty", "repetition", "warned", "skills")
        shown = table(f"weights of {model}", ["suite", "right", *names], left=("suite",))
        for row in made["rows"]:
            values = (f"{row[name]:.2f}" for name in names)
            shown.add_row(row["what"], f"{row['right']} of {row['known']}", *values)
        console = out(json_path)
        console.print(shown)
        console.print_json(data={model: made["prior"]})


def _print(made: dict[str, Any], console: Console) -> None:
    perfect = table("a perfect model", ["suite, way", "alone", "in Lichen"], left=("suite, way",))
    for row in made["perfect"]:
        perfect.add_row(row["what"], f"{row['alone']:.2f}", f"{row['none']:.2f}")
    console.print(perfect)
    columns = ["competence", "games", "none", "knn", "memory", "memory - none", "memory - knn"]
    columns += ["lost", "won"]
    pooled = table("all games, all ways", columns)
    for level in made["levels"]:
        pooled.add_row(
            f"{level['competence']:g}",
            str(level["n"]),
            *(f"{level[arm]:.2f}" for arm in ("none", "knn", "memory")),
            *("{:+.2f} [{:+.2f}, {:+.2f}]".format(*level[x]) for x in ("over_none", "over_knn")),
            *(f"{level[x]:.2f}" for x in ("lost", "won")),
        )
    console.print(pooled)
    for what, holds in made["checks"].items():
        console.print(f"{'holds' if holds else 'DOES NOT HOLD'}: {what}", markup=False)
