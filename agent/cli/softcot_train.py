"""`lichen softcot train`: a projection from a small frozen assistant into the frozen LLM."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ...envs.errors import UsageError
from .options import (
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

if TYPE_CHECKING:
    from ..softcot.checkpoint import Card


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
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="Passes over the examples.")] = 10,
    batch: Annotated[
        int, typer.Option("--batch", min=1, help="Examples of one gradient step.")
    ] = 4,
    lr: Annotated[
        float | None, typer.Option("--lr", help="Learning rate of AdamW. [default: 1e-3]")
    ] = None,
    chains: Annotated[
        int, typer.Option("--chains", min=1, help="Thought chains (SoftCoT++), above 1.")
    ] = 1,
    demonstrations: Annotated[
        bool, typer.Option("--demonstrations", help="With `own`: learn from demonstrations too.")
    ] = False,
    assistant: Assistant = None,
    folder: ProjectionFolder = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Forget an earlier training, and begin anew.")
    ] = False,
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
    from ..softcot.places import keep_previous
    from ..softcot.soft_config import FOLDER as THE_AGENTS
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
