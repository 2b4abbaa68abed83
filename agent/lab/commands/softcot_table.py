"""`lichen softcot table`: kinds of projections, controls and no hint, over sources and seeds."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table as RichTable

from ....envs.errors import UsageError
from ...cli.options import (
    Config,
    Json,
    Model,
    Set,
    Store,
    out,
    progress_console,
    settings,
    write_json,
)

BEST = ("linear", "mlp")


def table_command(
    sources: Annotated[
        list[str] | None,
        typer.Argument(help="As for train. [default: countdown3 sudoku4 words gold:demo]"),
    ] = None,
    seeds: Annotated[str, typer.Option("--seeds", help="Seeds, separated by commas.")] = "0,1,2",
    examples: Annotated[
        int, typer.Option("--examples", min=1, help="Questions of each source to learn from.")
    ] = 200,
    questions: Annotated[
        int, typer.Option("--questions", min=2, help="Held-out questions of each source.")
    ] = 40,
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="Passes over the examples.")] = 5,
    batch: Annotated[
        int, typer.Option("--batch", min=1, help="Examples of one gradient step.")
    ] = 4,
    thoughts: Annotated[
        int, typer.Option("--thoughts", min=1, help="Soft thoughts that are put in.")
    ] = 4,
    samples: Annotated[
        int, typer.Option("--samples", min=0, help="Sampled answers for each question.")
    ] = 1,
    assistant: Annotated[
        str | None,
        typer.Option("--assistant", help="Small model that thinks. [default: the same as --model]"),
    ] = None,
    store: Store = None,
    config: Config = None,
    model: Model = None,
    set_: Set = None,
    json_path: Json = None,
) -> None:
    """Train paper-mode, linear and MLP projections and measure them beside no hint, words, and empty vectors.

    The same command goes on after an interruption. Exit status 1 unless on two sources, or on the only one, a
    projection is better than both no hint and the hint in words, with intervals above 0, greedily.
    """
    from ...config import load_config
    from ...llm.frozen import open_pair
    from ...softcot.sources import folder_name
    from ..softcot.projection_table import Size, lines, run_part

    base = load_config(config, **settings(set_, store=store, model=model))
    wanted = list(dict.fromkeys(sources or ["countdown3", "sudoku4", "words", "gold:demo"]))
    try:
        numbers = sorted({int(part) for part in seeds.split(",")})
    except ValueError as error:
        raise UsageError(f"--seeds {seeds!r} is not a list of whole numbers") from error
    size = Size(
        examples=examples,
        questions=questions,
        epochs=epochs,
        batch=batch,
        n_infer=thoughts,
        samples=samples,
    )
    llm, other = open_pair(base.model, assistant, base.local)
    root = base.store / "softcot-table"
    parts = []
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=progress_console) as progress:
        whole = progress.add_task("parts", total=len(wanted) * len(numbers))
        bar = progress.add_task("", total=None)
        for source in wanted:
            for seed in numbers:

                def told(what: str, done: int, of: int, at: str = f"{source}, seed {seed}") -> None:
                    progress.update(bar, description=f"{at}, {what}", completed=done, total=of)

                parts.append(
                    run_part(
                        source,
                        base.model_copy(update={"seed": seed}),
                        size,
                        root / folder_name(source) / f"seed{seed}",
                        llm=llm,
                        assistant=other,
                        states=root / "states",
                        told=told,
                    )
                )
                progress.update(whole, advance=1)
    found = lines(parts)
    console = out(json_path)
    shown = RichTable(title=f"{other.name} thinks, {llm.name} reads; {len(numbers)} seeds")
    for name in ("source", "decoding", "arm", "n", "right", "95%", "readable", "tokens"):
        _column(shown, name)
    shown.add_column("- none", justify="right")
    shown.add_column("- verbal", justify="right")
    for line in found:
        shown.add_row(
            _short(line.source),
            line.decoding,
            line.arm,
            str(line.n),
            f"{line.right:.3f}",
            f"{line.ci95[0]:.2f} to {line.ci95[1]:.2f}",
            f"{line.parsed:.2f}",
            f"{line.tokens:.0f}",
            f"{line.gain_none:+.3f} [{line.gain_none_ci95[0]:+.2f}, {line.gain_none_ci95[1]:+.2f}]",
            f"{line.gain_verbal:+.3f} [{line.gain_verbal_ci95[0]:+.2f}, {line.gain_verbal_ci95[1]:+.2f}]",
        )
    console.print(shown)
    costs = RichTable(title="training, mean over seeds")
    for name in ("source", "arm", "weights", "steps", "tokens", "seconds", "loss", "held out"):
        _column(costs, name)
    for source in dict.fromkeys(part.table.source for part in parts):
        of = [part for part in parts if part.table.source == source]
        for number, cost in enumerate(of[0].costs):
            all_ = [part.costs[number] for part in of]
            held = [(c.held_out[0], c.held_out[-1]) for c in all_ if c.held_out]
            costs.add_row(
                _short(source),
                cost.arm,
                f"{cost.weights:,}",
                str(cost.steps),
                f"{sum(c.tokens for c in all_) / len(all_):,.0f}",
                f"{sum(c.seconds for c in all_) / len(all_):.0f}",
                " -> ".join(f"{sum(c.loss[i] for c in all_) / len(all_):.3f}" for i in (0, 1)),
                " -> ".join(f"{sum(h[i] for h in held) / len(held):.3f}" for i in (0, 1))
                if held
                else "-",
            )
    console.print(costs)
    won = [
        source
        for source in dict.fromkeys(line.source for line in found)
        if any(
            line.gain_none_ci95[0] > 0 and line.gain_verbal_ci95[0] > 0
            for line in found
            if line.source == source and line.arm in BEST and line.decoding == "greedy"
        )
    ]
    holds = len(won) >= min(2, len(wanted))
    console.print(
        f"a projection is better than no hint and than words on {len(won)} of {len(wanted)} sources"
        + (f": {', '.join(won)}" if won else "")
    )
    write_json(
        {
            "holds": holds,
            "models": [other.name, llm.name],
            "lines": [line.model_dump(mode="json") for line in found],
            "costs": [
                {"source": p.table.source, "seed": p.seed, **c.model_dump(mode="json")}
                for p in parts
                for c in p.costs
            ],
        },
        json_path,
    )
    if not holds:
        raise typer.Exit(1)


def _column(table: RichTable, name: str) -> None:
    left = name in ("source", "arm")
    table.add_column(name, justify="left" if left else "right", no_wrap=left)


def _short(source: str) -> str:
    return Path(source).stem if source.endswith(".jsonl") else source
