"""`lichen softcot`: soft thoughts of a small assistant, trained, and measured before they are used."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table as RichTable

from ...envs.errors import UsageError
from ..lab.commands.softcot_table import table_command
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
from .softcot_gate import gate_command
from .softcot_probe import probe_command

if TYPE_CHECKING:
    from ..softcot.checkpoint import Card

app = typer.Typer(
    help="Continuous thoughts of a small frozen assistant, projected into the frozen LLM (SoftCoT).",
    no_args_is_help=True,
)
Source = Annotated[
    str,
    typer.Argument(
        help="`own` (the store's verified successes), countdown3, sudoku4, words, gold:SUITE, or a .jsonl file "
        "of examples."
    ),
]
Assistant = Annotated[
    str | None,
    typer.Option("--assistant", help="Small model: as --model. [default: the same as --model]"),
]
Folder = Annotated[
    Path | None, typer.Option("--folder", help="The projection's. [default: STORE/softcot/SOURCE]")
]

app.command("table")(table_command)
app.command("gate")(gate_command)
app.command("probe")(probe_command)


@app.command("train")
def train_command(
    source: Source,
    examples: Annotated[
        int, typer.Option("--examples", min=1, help="Questions of a puzzle to learn from.")
    ] = 200,
    held_out: Annotated[
        int, typer.Option("--held-out", min=0, help="Questions to measure the loss on.")
    ] = 20,
    kind: Annotated[
        Literal["linear", "mlp"], typer.Option("--kind", help="Form of the projection.")
    ] = "linear",
    mode: Annotated[
        Literal["fixed", "paper"],
        typer.Option("--mode", help="`paper`: the official code's settings, for ablation."),
    ] = "fixed",
    epochs: Annotated[int, typer.Option("--epochs", min=1)] = 10,
    batch: Annotated[int, typer.Option("--batch", min=1)] = 4,
    lr: Annotated[float | None, typer.Option("--lr", help="Learning rate. [default: 1e-3]")] = None,
    chains: Annotated[
        int, typer.Option("--chains", min=1, help="Thought chains (SoftCoT++), above 1.")
    ] = 1,
    demonstrations: Annotated[
        bool, typer.Option("--demonstrations", help="With `own`: learn from demonstrations too.")
    ] = False,
    assistant: Assistant = None,
    folder: Folder = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin anew.")] = False,
    store: Store = None,
    config: Config = None,
    model: Model = None,
    seed: Seed = None,
    set_: Set = None,
    json_path: Json = None,
) -> None:
    """Train a projection between two frozen models; the same command continues after an interruption.

    Only the projection has gradients: both models' weights are hashed before and after. What is trained already
    is not trained again; with other examples or settings it is. `lichen memory forget` takes a projection from
    STORE; not one in a --folder outside it.
    """
    from ..config import load_config

    base = load_config(config, **settings(set_, store=store, model=model, seed=seed))
    from ..softcot.checkpoint import trained_card
    from ..softcot.places import FOLDER as THE_AGENTS
    from ..softcot.places import keep_previous
    from ..softcot.sources import OWN, folder_name, open_source

    where = folder or base.store / "softcot" / folder_name(source)
    opened = open_source(
        source, base, examples=examples, held_out=held_out, demonstrations=demonstrations
    )
    the_agents = where.resolve() == (base.store / THE_AGENTS).resolve()
    if the_agents and source != OWN:
        raise UsageError(
            f"{where} is for the agent's own projection", hint="Name another --folder."
        )
    if where.resolve() == base.store.resolve():
        raise UsageError(f"{where} is the store itself", hint="Name another --folder.")
    if fresh and where.exists() and not the_agents:
        _forget(where)
    elif fresh and the_agents:
        keep_previous(where)

    from ..llm.frozen import open_pair
    from ..softcot.soft_assistant import SoftAssistant
    from ..softcot.soft_config import ProjectionConfig, TrainConfig
    from ..softcot.train import Trainer

    llm, other = open_pair(base.model, assistant, base.local)
    dials = TrainConfig.paper() if mode == "paper" else TrainConfig()
    changed = {"epochs": epochs, "batch": batch, "chains": chains}
    dials = dials.model_copy(update=changed | ({"lr": lr} if lr is not None else {}))
    trainer = Trainer(
        SoftAssistant(other, where.parent / "states"),
        llm,
        opened.learned,
        held_out=opened.held_out,
        projection=ProjectionConfig(mode=mode, kind=kind),
        config=dials,
        seed=base.seed,
    )
    console, known = out(json_path), trained_card(where)
    if known is not None and known.same_training(trainer.card()):
        console.print(f"{where} is trained already (--fresh trains it again)", highlight=False)
        write_json(known.model_dump_json(indent=1), json_path)
        return
    if known is not None and the_agents:
        keep_previous(where)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]:.3f}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=progress_console) as progress:
        bar = progress.add_task("steps", total=trainer.steps, loss=float("nan"))
        card = trainer.run(
            where,
            lambda done, of, loss: progress.update(bar, completed=done, total=of, loss=loss),
        )
    if source == OWN:
        _still_known(where, base.store, card)
    console.print(
        f"{where}: {trainer.projection.parameters_count:,} weights, {card.steps} steps, "
        f"{card.tokens:,} tokens, {card.seconds:.0f} s",
        highlight=False,
    )
    first, last = card.losses[0], card.losses[-1]
    said = f"loss {first:.3f} -> {last:.3f} nats a token"
    if card.held_out:
        said += f"; held out {card.held_out[0]:.3f} -> {card.held_out[-1]:.3f}"
    console.print(said, highlight=False)
    console.print("the weights of both models are what they were")
    write_json(card.model_dump_json(indent=1), json_path)


@app.command("eval")
def eval_command(
    source: Source,
    questions: Annotated[int, typer.Option("--questions", min=2, help="Held-out questions.")] = 40,
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
    folder: Folder = None,
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
    from ..config import load_config
    from ..softcot.sources import folder_name, open_source

    base = load_config(config, **settings(set_, store=store, model=model, seed=seed))
    where = folder or base.store / "softcot" / folder_name(source)
    chosen = [part.strip() for part in arms.split(",") if part.strip()]
    if "soft" not in chosen or len(chosen) < 2:
        raise UsageError("--arms needs `soft` and at least one arm to compare it with")

    from ..lab.softcot.answer_table import evaluate_source
    from ..llm.frozen import open_pair
    from ..llm.soft_reader import SoftReader
    from ..softcot.checkpoint import load, read_card, unseen
    from ..softcot.soft_assistant import SoftAssistant

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


def _still_known(folder: Path, store: Path, card: "Card") -> None:
    """Remove what was trained if one of its episodes was forgotten meanwhile."""
    from ...memory.store.store import Store as MemoryStore
    from ..softcot.hints import forgotten

    with MemoryStore(store, read_only=True) as memory:
        gone = forgotten(memory) & set(card.episodes)
    if gone:
        shutil.rmtree(folder)
        raise UsageError(
            f"{len(gone)} of the episodes were forgotten while the projection was trained: it was removed",
            hint="Train it again.",
        )


def _forget(folder: Path) -> None:
    """Remove an earlier training; only from a folder that is one."""
    from ..softcot.checkpoint import CARD, TRAINING

    if not ((folder / CARD).exists() or (folder / TRAINING).exists()):
        raise UsageError(f"{folder} holds no projection; nothing was removed")
    shutil.rmtree(folder)
