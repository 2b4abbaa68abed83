"""`lichen compare`: every method on one stream of tasks: one table and one picture."""

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
    episode_progress,
    names,
    out,
    settings,
    write_json,
)

FREE = "random,least-used,action-table,empty,knn"
ALL = f"none,memory,placebo,{FREE},icl,icl-full,ace,reasoningbank,awm,mem0,voyager"


def compare_command(
    stream: Annotated[str, typer.Argument(help="A suite: a shipped name, or a TOML or YAML file.")],
    arms: Annotated[
        str | None,
        typer.Option(
            "--arms",
            help="Arms to compare, separated by commas; a rival's dials can follow, as in mem0:given=4. "
            "[default: all that can run]",
        ),
    ] = None,
    each: Annotated[
        int, typer.Option("--each", min=1, help="Tasks of each phase that are learned from.")
    ] = 6,
    held: Annotated[
        int,
        typer.Option(
            "--held",
            min=0,
            help="Tasks of the first phase that come twice, to see what is forgotten.",
        ),
    ] = 4,
    demonstrations: Annotated[
        int,
        typer.Option(
            "--demonstrations", min=0, help="Gold episodes that every arm is shown first."
        ),
    ] = 0,
    split: Annotated[
        Literal["dev", "test"], typer.Option("--split", help="Where tasks come from; tune on dev.")
    ] = "test",
    no_llm: NoLlm = False,
    store: Annotated[
        Path | None,
        typer.Option(
            "--store", help="Folder of this comparison. [default: .lichen/compare/STREAM-...]"
        ),
    ] = None,
    fresh: Fresh = False,
    config: Config = None,
    model: Model = None,
    base_url: BaseUrl = None,
    seed: Seed = None,
    set_: Set = None,
    json_path: Json = None,
) -> None:
    """Let every method meet one stream of tasks, with the same model, tools and seeds, learning as it goes.

    The same command continues after an interruption. The folder then holds rows.jsonl, report.json and
    compare.png.
    """
    from ....envs.suite import load_suite
    from ...config import load_config
    from ..compare.compare_picture import draw
    from ..compare.compare_report import CompareReport
    from ..compare.compare_run import ROWS, compare, forget_comparison
    from ..compare.compare_tables import compare_table, cost_table, phases_table
    from ..compare.contestants import find_entries
    from ..compare.stream_row import StreamRow
    from ..compare.task_stream import StreamSize
    from ..kernel.reports import save_report
    from ..kernel.rows import rows_in

    options = settings(set_, no_llm=no_llm, model=model, base_url=base_url, seed=seed)
    base = load_config(config, **options)
    asks = base.policy.llm
    entries = find_entries(names(arms or (ALL if asks else FREE), "--arms"), llm=asks)
    loaded = load_suite(stream)
    named = f"{loaded.name}-{split}-seed{base.seed}" + "-no-llm" * (not asks)
    folder = store or base.store / "compare" / named
    if fresh:
        forget_comparison(folder)
    size = StreamSize(each=each, held=held, shown=demonstrations, split=split)
    with episode_progress() as progress:
        bar = progress.add_task(loaded.name, total=None, success="", speed="")

        def met(done: int, of: int, row: StreamRow) -> None:
            progress.update(bar, completed=done, total=of, success=f"{row.arm}: {row.outcome}")

        report: CompareReport = compare(
            base.model_copy(update={"store": folder}), stream, size, entries, met
        )
    text = save_report(report, folder / "report.json")
    draw(report, rows_in(folder / ROWS, StreamRow), folder / "compare.png")
    console = out(json_path)
    for made in (compare_table, phases_table, cost_table):
        console.print(made(report))
    for contrast in report.contrasts:
        console.print(
            f"{contrast.a} - {contrast.b}: {contrast.mean:+.2f} "
            f"[{contrast.ci95[0]:+.2f}, {contrast.ci95[1]:+.2f}]"
            + ("" if contrast.holds else "  (no gain is shown)"),
            highlight=False,
            markup=False,
        )
    console.print(f"picture: {folder / 'compare.png'}", highlight=False)
    write_json(text, json_path)
