"""`lichen eval`: arms on held-out tasks as memory grows: the table and the learning curve."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from ...cli.options import (
    BaseUrl,
    Config,
    Fresh,
    Json,
    Model,
    NoLlm,
    Seed,
    Set,
    SuiteArgument,
    episode_progress,
    names,
    numbers,
    out,
    settings,
    write_json,
)


def evaluate_command(
    suite: SuiteArgument,
    arms: Annotated[
        str, typer.Option("--arms", help="Arms to compare, separated by commas.")
    ] = "none,placebo,knn,memory",
    checkpoints: Annotated[
        str, typer.Option("--checkpoints", help="Learned episodes at which memory is frozen.")
    ] = "0,1,3,10,30",
    learn: Annotated[
        Literal["demonstrations", "own"],
        typer.Option(
            "--learn", help="Learn from gold demonstrations, or from own experience only."
        ),
    ] = "demonstrations",
    split: Annotated[
        Literal["dev", "test"], typer.Option("--split", help="Held-out split; tune on dev.")
    ] = "test",
    tasks: Annotated[
        int | None,
        typer.Option("--tasks", min=1, help="How many held-out tasks. [default: the suite's]"),
    ] = None,
    no_llm: NoLlm = False,
    store: Annotated[
        Path | None,
        typer.Option(
            "--store", help="Folder of this evaluation. [default: .lichen/eval/SUITE-...]"
        ),
    ] = None,
    inspect_log: Annotated[
        Path | None,
        typer.Option("--inspect-log", help="Write logs for `inspect view` (inspect_ai) there."),
    ] = None,
    fresh: Fresh = False,
    config: Config = None,
    model: Model = None,
    base_url: BaseUrl = None,
    seed: Seed = None,
    set_: Set = None,
    json_path: Json = None,
) -> None:
    """Learn, freeze the memory at each checkpoint, and compare all arms on held-out tasks, paired by task.

    The same command continues after an interruption. The folder then holds rows.jsonl, report.json,
    curve.png and report.html.
    """
    from ....envs.suite import load_suite
    from ...config import load_config
    from ...open_agent import OpenAgent
    from ..heldout.episode_row import EpisodeRow
    from ..heldout.heldout_run import ROWS, HeldOutPlan, evaluate, forget_evaluation
    from ..heldout.heldout_tables import arms_table, contrasts_table, families_table
    from ..heldout.inspect_log import write_inspect_logs
    from ..heldout.learning_curve import draw, write_page
    from ..heldout.policy_arms import find_arms
    from ..heldout.progress_bars import Bars
    from ..kernel.reports import save_report
    from ..kernel.rows import rows_in

    loaded = load_suite(suite)
    options = settings(set_, no_llm=no_llm, model=model, base_url=base_url, seed=seed)
    base = load_config(config, **options)
    chosen = find_arms(names(arms, "--arms"))
    points = numbers(checkpoints, "--checkpoints")
    named = f"{loaded.name}-{learn}-{split}-seed{base.seed}" + "-no-llm" * (not base.policy.llm)
    folder = store or base.store / "eval" / named
    if fresh:
        forget_evaluation(folder)
    plan = HeldOutPlan(
        suite=loaded,
        arms=tuple(chosen),
        checkpoints=tuple(points),
        learn=learn,
        split=split,
        tasks=tasks,
        seed=base.seed,
    )
    console = out(json_path)
    with (
        OpenAgent.from_config(config, **{**options, "store": folder}) as agent,
        episode_progress() as progress,
    ):
        report = evaluate(agent, plan, folder, Bars(progress))
        logs: list[Path] = []
        if inspect_log is not None:
            logs = write_inspect_logs(
                report, rows_in(folder / ROWS, EpisodeRow), agent.store.ledger, inspect_log
            )
    text = save_report(report, folder / "report.json")
    draw(report, folder / "curve.png")
    write_page(report, folder / "curve.png", folder / "report.html")
    console.print(arms_table(report))
    console.print(contrasts_table(report))
    if (by_family := families_table(report)) is not None:
        console.print(by_family)
    console.print(f"[bold]{report.sentence()}[/bold]")
    console.print(f"picture: {folder / 'curve.png'}   page: {folder / 'report.html'}")
    for log in logs:
        console.print(f"log: {log}", markup=False)
    write_json(text, json_path)
    if not any(cell.n for cells in report.arms.values() for cell in cells.values()):
        console.print(f"no outcome is known; `lichen run {suite} -n 1` says why")
        raise typer.Exit(1)
