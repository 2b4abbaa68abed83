"""`lichen eval STREAM --protocol continual`: one stream of task families, learned in several ways."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table

from ....envs.errors import UsageError
from ...cli.options import out, progress_console, write_json

if TYPE_CHECKING:
    from ....envs.suite import Suite
    from ....envs.types import Split
    from ...config import AgentConfig
    from ..continual.metrics import Interval
    from ..continual.stream_report import ContinualReport

DEFAULT_ARMS = "none,lora,softcot,memory"
Protocol = Annotated[
    Literal["held-out", "continual"],
    typer.Option(
        "--protocol",
        help="`continual`: the suite's families one after the other, learned by LoRA, soft thoughts or memory; "
        "asked for the next action in an expert's states.",
    ),
]
Examples = Annotated[
    int | None,
    typer.Option(
        "--examples", min=1, help="With continual: decisions to learn from a family. [default: 24]"
    ),
]
Epochs = Annotated[
    int | None,
    typer.Option("--epochs", min=1, help="With continual: of LoRA and softcot. [default: 4]"),
]


def evaluate_continual(
    suite: "Suite",
    base: "AgentConfig",
    arms: list[str],
    folder: Path,
    *,
    examples: int | None,
    epochs: int | None,
    tasks: int | None,
    split: "Split",
    fresh: bool,
    json_path: str | None,
) -> None:
    """Run the stream, print its tables and write `report.json` and `continual.png` into the folder.

    Args:
        suite: Its families are the stages.
        base: Model, policy, retriever, seed.
        arms: By name; `lora` means `lora-gold` and `lora-self`.
        folder: Of the evaluation.
        examples: Most decisions to learn from in a family.
        epochs: Of the arms with gradients.
        tasks: Held-out decisions of a family.
        split: Where they come from.
        fresh: Forget an earlier run in the folder.
        json_path: Where the report goes as well.

    Raises:
        UsageError: The suite has one family, or the model is a server's, is not in float32, or is not to be
            asked.
        UnknownName: There is no such arm.
        MissingExtra: LoRA is asked for and peft is not installed.
    """
    if base.model.startswith("openai:") or not base.policy.llm:
        raise UsageError(
            "--protocol continual needs a model in this process: gradients and whole vocabularies are of it",
            hint="Say --model smollm2-135m, a folder or a hub id, and leave out --no-llm.",
        )
    if base.dtype != "float32":
        raise UsageError(
            f"--protocol continual trains in float32, not in {base.dtype}",
            hint="Leave out dtype (an option, a LICHEN_* variable or lichen.toml).",
        )
    from ....envs.registry import make
    from ..continual.stream import StreamConfig, build_stream, families_of
    from ..continual.stream_run import find_arms

    chosen = find_arms(arms)
    environment = make(suite.env, **suite.env_options)
    families_of(suite, environment)
    if fresh and folder.exists():
        forget_stream(folder)

    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from ...llm.frozen import open_frozen
    from ...prompts.rendering import prompt_hash
    from ..continual.learners import LearnConfig, Setting, expert_policy
    from ..continual.stream_picture import draw
    from ..continual.stream_report import summarise
    from ..continual.stream_run import run_stream

    plan = StreamConfig(split=split, seed=base.seed).model_copy(
        update={k: v for k, v in (("examples", examples), ("tasks", tasks)) if v is not None}
    )
    learn = LearnConfig() if epochs is None else LearnConfig(epochs=epochs)
    try:
        stream = build_stream(suite, environment, plan)
    finally:
        environment.close()
    setting = Setting(
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
        "suite": suite.model_dump(mode="json", exclude={"description"}),
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
    write_json(report.model_dump_json(indent=1), str(folder / "report.json"))
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
    if json_path is not None:
        write_json(report.model_dump_json(indent=1), json_path)


def matrix_table(report: "ContinualReport") -> Table:
    """Return the accuracy matrices R[i][j] as a table: a row an arm and stage, a column a family."""
    table = Table(
        title=f"{report.stream} ({report.split}), {report.model}, {report.decisions} decisions a family"
    )
    table.add_column("arm")
    table.add_column("after")
    for family, chance in zip(report.families, report.chance, strict=True):
        table.add_column(f"{family}\n(chance {chance:.2f})", justify="right")
    for arm in report.arms:
        rows = arm.measures.matrix if arm.spent.targets else arm.measures.matrix[:1]
        for stage, row in enumerate(rows):
            cells = [f"{value:.2f}" + "*" * (stage == j + 1) for j, value in enumerate(row)]
            after = report.families[stage - 1] if stage else "nothing"
            table.add_row(
                arm.name if not stage else "", after, *cells, end_section=stage == len(rows) - 1
            )
    return table


def measures_table(report: "ContinualReport") -> Table:
    """Return what the matrices come to, with 95% intervals, and the KL on off-stream text."""
    table = Table(title="what it comes to (95% by bootstrap over decisions)")
    for name in (
        "arm",
        "ACC",
        "BWT",
        "FWT",
        "forgetting",
        "neg. flips",
        "plasticity",
        "KL",
        "forced",
    ):
        table.add_column(name, justify="left" if name == "arm" else "right")
    for arm in report.arms:
        m, forced = arm.measures, arm.drift_forced[-1]
        table.add_row(
            arm.name,
            _plain(m.accuracy),
            _signed(m.backward),
            _signed(m.forward),
            _signed(m.forgetting),
            "-" if m.negative_flips is None else _plain(m.negative_flips),
            _signed(m.plasticity),
            _nats(arm.drift[-1]),
            "-" if forced is None else _nats(forced),
        )
    return table


def spent_table(report: "ContinualReport") -> Table:
    """Return what every arm cost."""
    table = Table(title="what it cost")
    for name in (
        "arm",
        "weights",
        "targets",
        "steps",
        "tokens to learn",
        "s to learn",
        "tokens a decision",
        "s a decision",
    ):
        table.add_column(name, justify="left" if name == "arm" else "right")
    for arm in report.arms:
        s = arm.spent
        table.add_row(
            arm.name,
            f"{s.weights:,}",
            "+".join(map(str, s.targets)) or "0",
            str(s.steps),
            f"{s.learning_tokens:,}",
            f"{s.learning_seconds:.1f}",
            f"{s.decision_tokens:.0f}",
            f"{s.decision_seconds:.2f}",
        )
    return table


def forget_stream(folder: Path) -> None:
    """Remove an earlier run; only what one makes, from a folder that is one and is not in use."""
    from ....memory.ledger.errors import StoreInUse
    from ....memory.ledger.lock import claim
    from ..continual.stream_run import ARMS, IDENTITY, RESULTS

    if not (folder / IDENTITY).exists():
        raise UsageError(
            f"{folder} holds no run of a stream (there is no {IDENTITY} in it); nothing was removed",
            hint="Leave out --fresh, or name the folder of the run.",
        )
    try:
        lock = claim(folder)
    except StoreInUse as error:
        raise StoreInUse(f"the run in {folder} goes on; nothing was removed") from error
    try:
        for name in (*ARMS, RESULTS, "states"):
            shutil.rmtree(folder / name, ignore_errors=True)
        for name in (IDENTITY, "report.json", "continual.png"):
            (folder / name).unlink(missing_ok=True)
    finally:
        lock.release()


def _plain(value: "Interval") -> str:
    return f"{value.mean:.2f}\n{value.low:.2f}, {value.high:.2f}"


def _signed(value: "Interval") -> str:
    return f"{value.mean:+.2f}\n{value.low:+.2f}, {value.high:+.2f}"


def _nats(value: float) -> str:
    return "0" if value == 0 else f"{value:.2g}"
