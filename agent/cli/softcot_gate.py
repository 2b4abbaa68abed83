"""`lichen softcot gate`: for which kinds of task the agent's hints are on, measured on held-out decisions."""

import typer
from rich.progress import Progress
from rich.table import Table as RichTable

from ...envs.errors import UsageError
from .options import (
    Config,
    Json,
    Model,
    Seed,
    Set,
    Store,
    out,
    progress_console,
    settings,
    write_json,
)


def gate_command(
    store: Store = None,
    config: Config = None,
    model: Model = None,
    seed: Seed = None,
    set_: Set = None,
    json_path: Json = None,
) -> None:
    """Measure for which kinds of task the projection of `train own` is worth something, and keep the verdict.

    A hint is on only where it beats no hint, words, and vectors that say nothing, with intervals above 0; else
    the words, if they pass; else nothing. Learning measures again by itself when memory has changed. Exit
    status 1 when nothing is on.
    """
    from ..config import load_config
    from ..open_agent import OpenAgent
    from ..softcot.checkpoint import CARD
    from ..softcot.soft_config import FOLDER

    options = settings(set_, store=store, model=model, seed=seed)
    where = load_config(config, **options).store / FOLDER
    if not (where / CARD).exists():
        raise UsageError(
            f"{where} holds no trained projection",
            hint="Train one from the agent's own successes: `lichen softcot train own`.",
        )
    with (
        OpenAgent.from_config(config, **options) as agent,
        Progress(console=progress_console) as progress,
    ):
        bar = progress.add_task("decisions", total=None)
        record = agent.wait(
            agent.hints.measure(lambda done, of: progress.update(bar, completed=done, total=of))
        )
    console = out(json_path)
    table = RichTable(title="probability of the right action on held-out decisions")
    for name in ("kind of task", "n", "hint", "arm", "probability", "soft - arm", "95%"):
        table.add_column(name, justify="left" if name in ("kind of task", "arm") else "right")
    for family in record.families:
        if not family.soft:
            said = f"too few: {family.tasks} tasks"
            table.add_row(family.family, str(family.n), "off", said, "-", "-", "-")
            continue
        gains = {contrast.against: contrast for contrast in family.soft}
        for arm, chance in family.probability.items():
            gain = gains.get(arm)
            table.add_row(
                family.family if arm == "soft" else "",
                str(family.n) if arm == "soft" else "",
                family.mode if arm == "soft" else "",
                arm,
                f"{chance:.3f}",
                f"{gain.diff:+.3f}" if gain else "-",
                f"{gain.ci95[0]:+.3f} to {gain.ci95[1]:+.3f}" if gain else "-",
            )
    console.print(table)
    on = [f"{f.family} ({f.mode})" for f in record.families if f.mode != "off"]
    if record.rolled_back:
        console.print("the projection was rolled back to the previous one, which passes")
    console.print(f"on: {', '.join(on)}" if on else "no hint is on: the model is asked as it is")
    write_json(record.model_dump_json(indent=1), json_path)
    if not on:
        raise typer.Exit(1)
