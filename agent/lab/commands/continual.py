"""`lichen continual`: task families one after the other, learned by LoRA, soft thoughts or memory."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from ....envs.errors import UsageError
from ...cli.options import (
    Config,
    Fresh,
    Json,
    Model,
    Seed,
    Set,
    SuiteArgument,
    names,
    out,
    progress_console,
    settings,
    write_json,
)


def continual_command(
    suite: SuiteArgument,
    arms: Annotated[
        str,
        typer.Option(
            "--arms", help="Arms to compare, separated by commas; lora: lora-gold and lora-self."
        ),
    ] = "none,lora,softcot,memory",
    examples: Annotated[
        int, typer.Option("--examples", min=1, help="Decisions to learn from a family, at most.")
    ] = 24,
    tasks: Annotated[
        int, typer.Option("--tasks", min=1, help="Held-out decisions of each family.")
    ] = 24,
    epochs: Annotated[
        int, typer.Option("--epochs", min=1, help="Passes of LoRA and softcot over a family.")
    ] = 4,
    split: Annotated[
        Literal["dev", "test"], typer.Option("--split", help="Held-out split; tune on dev.")
    ] = "test",
    store: Annotated[
        Path | None,
        typer.Option("--store", help="Folder of this run. [default: .lichen/continual/SUITE-...]"),
    ] = None,
    fresh: Fresh = False,
    config: Config = None,
    model: Model = None,
    seed: Seed = None,
    set_: Set = None,
    json_path: Json = None,
) -> None:
    """Learn a suite's families in turn, and after each ask for the next action in an expert's states.

    Every arm starts from the same frozen model in this process. The same command continues after an
    interruption. The folder then holds report.json and continual.png.
    """
    from ....envs.suite import load_suite
    from ...config import load_config

    loaded = load_suite(suite)
    base = load_config(config, **settings(set_, model=model, seed=seed))
    if base.model.startswith("openai:") or not base.policy.llm:
        raise UsageError(
            "`lichen continual` needs a model in this process: gradients and whole vocabularies are of it",
            hint="Say --model smollm2-135m, a folder or a hub id, and leave out policy.llm=false.",
        )
    if base.dtype != "float32":
        raise UsageError(
            f"`lichen continual` trains in float32, not in {base.dtype}",
            hint="Leave out dtype (an option, a LICHEN_* variable or lichen.toml).",
        )
    folder = store or base.store / "continual" / f"{loaded.name}-seed{base.seed}"
    from ....envs.registry import make
    from ..continual.stream import StreamConfig, build_stream, families_of
    from ..continual.stream_run import find_arms, forget_stream

    chosen = find_arms(names(arms, "--arms"))
    environment = make(loaded.env, **loaded.env_options)
    families_of(loaded, environment)
    if fresh:
        forget_stream(folder)

    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from ...llm.frozen import open_frozen
    from ...prompts.rendering import prompt_hash
    from ..continual.learner import LearnConfig, StreamSetting, expert_policy
    from ..continual.stream_picture import draw
    from ..continual.stream_report import summarise
    from ..continual.stream_run import run_stream
    from ..continual.stream_tables import matrix_table, measures_table, spent_table
    from ..kernel.reports import save_report

    plan = StreamConfig(split=split, seed=base.seed, examples=examples, tasks=tasks)
    learn = LearnConfig(epochs=epochs)
    try:
        stream = build_stream(loaded, environment, plan)
    finally:
        environment.close()
    setting = StreamSetting(
        llm=open_frozen(base.model, base.local),
        stream=stream,
        folder=folder,
        policy=expert_policy(base.policy),
        retriever=base.retriever,
        embedder=base.embedder,
        learn=learn,
        seed=base.seed,
    )
    identity = {
        "suite": loaded.model_dump(mode="json", exclude={"description"}),
        "stream": plan.model_dump(mode="json"),
        "learn": learn.model_dump(mode="json"),
        "policy": setting.policy.model_dump(mode="json"),
        "retriever": base.retriever.model_dump(mode="json"),
        "embedder": base.embedder,
        "model": base.model,
        "dtype": base.dtype,
        "prompts": prompt_hash(),
    }
    columns = (
        TextColumn("{task.description:10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=progress_console) as progress:
        bars = {name: progress.add_task(name, total=None) for name in chosen}
        results = run_stream(
            setting,
            chosen,
            identity,
            lambda arm, done, of: progress.update(bars[arm], completed=done, total=of),
        )
    report = summarise(
        stream,
        results,
        model=base.model,
        fingerprint=setting.llm.identity().weights,
        split=plan.split,
        seed=base.seed,
    )
    text = save_report(report, folder / "report.json")
    draw(report, folder / "continual.png")
    console = out(json_path)
    for table in (matrix_table(report), measures_table(report), spent_table(report)):
        console.print(table)
    for contrast in report.contrasts:
        console.print(
            f"{contrast.a} - {contrast.b}: {contrast.difference.mean:+.2f} "
            f"[{contrast.difference.low:+.2f}, {contrast.difference.high:+.2f}]"
            + ("" if contrast.holds else "  (no difference is shown)"),
            highlight=False,
            markup=False,
        )
    for arm in report.arms:
        for note in arm.notes:
            console.print(f"{arm.name}, {note}", highlight=False)
    console.print("next-action accuracy in an expert's states, not whole episodes", highlight=False)
    console.print(f"picture: {folder / 'continual.png'}")
    write_json(text, json_path)
