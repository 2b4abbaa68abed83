"""`lichen softcot eval`: a trained projection on held-out questions, beside its controls."""

from typing import Annotated

import typer
from rich.progress import Progress
from rich.table import Table as RichTable

from ....envs.errors import UsageError
from ...cli.options import (
    Assistant,
    Config,
    Json,
    Model,
    ProjectionFolder,
    Seed,
    Set,
    Source,
    Store,
    out,
    progress_console,
    settings,
    write_json,
)


def eval_command(
    source: Source,
    questions: Annotated[
        int, typer.Option("--questions", min=2, help="How many held-out questions.")
    ] = 40,
    arms: Annotated[
        str, typer.Option("--arms", help="Arms, separated by commas.")
    ] = "none,verbal,soft,random,mean,swapped",
    samples: Annotated[
        int,
        typer.Option(
            "--samples", min=0, help="Sampled answers a question, besides the greedy one."
        ),
    ] = 0,
    votes: Annotated[
        int,
        typer.Option(
            "--votes", min=0, help="Sampled answers that vote; soft arms go round their chains."
        ),
    ] = 0,
    assistant: Assistant = None,
    folder: ProjectionFolder = None,
    store: Store = None,
    config: Config = None,
    model: Model = None,
    seed: Seed = None,
    set_: Set = None,
    json_path: Json = None,
) -> None:
    """Measure a trained projection on held-out questions against no hint, words, and vectors that say nothing.

    Exit status 1 when `soft` is not better than every other arm with an interval above 0.
    """
    from ...config import load_config
    from ...softcot.sources import folder_name, open_source

    base = load_config(config, **settings(set_, store=store, model=model, seed=seed))
    where = folder or base.store / "softcot" / folder_name(source)
    chosen = [part.strip() for part in arms.split(",") if part.strip()]
    if "soft" not in chosen or len(chosen) < 2:
        raise UsageError("--arms needs `soft` and at least one arm to compare it with")

    from ...llm.frozen import open_pair
    from ...llm.soft_reader import SoftReader
    from ...softcot.checkpoint import load, read_card, unseen
    from ...softcot.soft_assistant import SoftAssistant
    from ..softcot.answer_table import evaluate_source

    card = read_card(where)
    opened = open_source(source, base, examples=1, held_out=questions, demonstrations=True)
    opened = opened._replace(held_out=unseen(card, opened.held_out))
    llm, other = open_pair(base.model, assistant, base.local)
    projection, card = load(where, other, llm)
    with Progress(console=progress_console) as progress:
        bar = progress.add_task("answers", total=None)
        table = evaluate_source(
            opened,
            assistant=SoftAssistant(other, where.parent / "states"),
            reader=SoftReader(llm),
            projections={"soft": projection},
            n=card.train.n_infer,
            votes=votes,
            chains=card.train.chains,
            arms=chosen,
            seeds=range(1, samples + 1),
            told=lambda done, of: progress.update(bar, completed=done, total=of),
        )
    shown = RichTable(title=f"{source}, {len(opened.held_out)} held-out questions, {base.model}")
    for name in ("arm", "decoding", "right", "readable", "tokens", "soft - arm", "95%"):
        shown.add_column(name, justify="left" if name == "arm" else "right")
    gains = []
    for decoding in dict.fromkeys(answer.decoding for answer in table.answers):
        for arm in chosen:
            gain = table.gain("soft", arm, decoding)
            gains += [gain] if arm != "soft" else []
            shown.add_row(
                arm,
                decoding,
                f"{table.share(arm, decoding):.2f}",
                f"{table.parsed(arm, decoding):.2f}",
                f"{table.tokens(arm, decoding):.0f}",
                "-" if arm == "soft" else f"{gain.diff:+.2f}",
                "-" if arm == "soft" else f"{gain.ci95[0]:+.2f} to {gain.ci95[1]:+.2f}",
            )
    holds = all(gain.ci95[0] > 0 for gain in gains)
    console = out(json_path)
    console.print(shown)
    console.print(
        "soft thoughts are better than every control"
        if holds
        else "no gain over every control is shown: the hint stays off"
    )
    found = {
        "holds": holds,
        "gains": [gain.model_dump(mode="json") for gain in gains],
        **table.model_dump(mode="json"),
    }
    write_json(found, json_path)
    if not holds:
        raise typer.Exit(1)
