"""`lichen eval` and `lichen picture`: arms, checkpoints, the table and the learning curve."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.progress import TaskID
from rich.table import Table

from ....envs.errors import BadFile, UsageError
from ...cli.options import BaseUrl, Config, Json, Model, Seed, Set, out, settings, write_json
from ...cli.run import episode_progress
from .continual import DEFAULT_ARMS, Epochs, Examples, Protocol, evaluate_continual

if TYPE_CHECKING:
    from ...episode.run_episode import EpisodeResult


def evaluate_command(
    suite: Annotated[str, typer.Argument(help="A suite: a shipped name, or a TOML or YAML file.")],
    arms: Annotated[
        str | None,
        typer.Option(
            "--arms",
            help="Arms, separated by commas. [default: none,placebo,knn,memory; continual: "
            "none,lora,softcot,memory]",
        ),
    ] = None,
    protocol: Protocol = "held-out",
    examples: Examples = None,
    epochs: Epochs = None,
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
        typer.Option(
            "--tasks",
            min=1,
            help="Held-out tasks. [default: the suite's; continual: 24 decisions a family]",
        ),
    ] = None,
    iterations: Annotated[
        int | None,
        typer.Option(
            "--iterations",
            min=1,
            help="Practise instead (arms none, primitives, skills, skills-frozen): attempts of each arm.",
        ),
    ] = None,
    moves: Annotated[
        int, typer.Option("--moves", min=1, help="With --iterations: moves of a zero-shot episode.")
    ] = 100,
    no_llm: Annotated[
        bool, typer.Option("--no-llm", help="Ask no model, in no arm (policy.llm=false).")
    ] = False,
    write: Annotated[
        bool,
        typer.Option(
            "--write", help="With --iterations: the model writes code too (a capable one)."
        ),
    ] = False,
    store: Annotated[
        Path | None,
        typer.Option(
            "--store", help="Folder of this evaluation. [default: .lichen/eval/SUITE-...]"
        ),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Forget an earlier one in that folder.")
    ] = False,
    config: Config = None,
    model: Model = None,
    base_url: BaseUrl = None,
    seed: Seed = None,
    set_: Set = None,
    json_path: Json = None,
) -> None:
    """Learn, freeze the memory at each checkpoint, and evaluate every arm on held-out tasks, paired by task.

    The same command continues after an interruption. The folder then holds rows.jsonl, report.json,
    curve.png and report.html.
    """
    from ....envs.suite import load_suite
    from ...config import load_config
    from ...open_agent import OpenAgent
    from ..heldout.arms import find_arms
    from ..heldout.evaluation import Plan, evaluate
    from ..heldout.picture import draw, write_page

    loaded = load_suite(suite)
    options = settings(set_, model=model, base_url=base_url, seed=seed)
    if no_llm:
        options["policy"] = {**options.get("policy", {}), "llm": False}
    base = load_config(config, **options)
    if protocol == "continual":
        if iterations is not None or learn == "own":
            raise UsageError("--protocol continual goes with neither --iterations nor --learn own")
        evaluate_continual(
            loaded,
            base,
            _names(arms or DEFAULT_ARMS, "--arms"),
            store or base.store / "continual" / f"{loaded.name}-seed{base.seed}",
            examples=examples,
            epochs=epochs,
            tasks=tasks,
            split=split,
            fresh=fresh,
            json_path=json_path,
        )
        return
    if examples is not None or epochs is not None:
        raise UsageError("--examples and --epochs go with --protocol continual")
    arms = arms or "none,placebo,knn,memory"
    if iterations is not None:
        from .practice import evaluate_practice

        folder = store or base.store / "practice" / f"{loaded.name}-seed{base.seed}"
        if fresh and folder.exists():
            _forget_practice(folder)
        evaluate_practice(
            loaded,
            _names(arms, "--arms"),
            iterations,
            folder,
            seed=base.seed,
            split=split,
            tasks=tasks or loaded.eval_tasks or 8,
            config=None if no_llm else base,
            moves=moves,
            write=write,
            json_path=json_path,
        )
        return
    chosen = find_arms(_names(arms, "--arms"))
    points = _numbers(checkpoints)
    named = f"{loaded.name}-{learn}-{split}-seed{base.seed}" + "-no-llm" * (not base.policy.llm)
    folder = store or base.store / "eval" / named
    if fresh and folder.exists():
        forget(folder)
    plan = Plan(
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
    write_json(report.model_dump_json(indent=1), str(folder / "report.json"))
    draw(report, folder / "curve.png")
    write_page(report, folder / "curve.png", folder / "report.html")
    console.print(arms_table(report))
    console.print(contrasts_table(report))
    console.print(f"[bold]{report.sentence()}[/bold]")
    console.print(f"picture: {folder / 'curve.png'}   page: {folder / 'report.html'}")
    if json_path is not None:
        write_json(report.model_dump_json(indent=1), json_path)


def picture_command(
    report: Annotated[Path, typer.Argument(help="A report.json of `lichen eval`.")],
    to: Annotated[Path, typer.Argument(help="The PNG to write; the page goes beside it.")],
    measure: Annotated[
        Literal["success", "score"], typer.Option("--measure", help="What to draw.")
    ] = "success",
) -> None:
    """Draw the learning curve of a report again."""
    from pydantic import ValidationError

    from ..heldout.picture import draw, write_page
    from ..heldout.report import Report

    try:
        loaded = Report.model_validate_json(report.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadFile(f"there is no report {report}") from error
    except (ValidationError, UnicodeDecodeError) as error:
        raise BadFile(f"{report} is not a report of `lichen eval`") from error
    draw(loaded, to, measure=measure)
    write_page(loaded, to, to.with_suffix(".html"))
    typer.echo(f"{to} and {to.with_suffix('.html')}")


class Bars:
    """Shows learning and evaluating as two progress bars."""

    def __init__(self, progress: "object") -> None:
        from rich.progress import Progress

        assert isinstance(progress, Progress)
        self._progress = progress
        self._bars: dict[str, TaskID] = {}
        self._wins: dict[str, list[int]] = {}
        self._tokens = self._seconds = 0.0

    def _bar(self, name: str) -> TaskID:
        if name not in self._bars:
            self._bars[name] = self._progress.add_task(name, total=None, success="", speed="")
        return self._bars[name]

    def learning(self, done: int, of: int, result: "EpisodeResult | None") -> None:
        """Show how many episodes are learned."""
        self._progress.update(self._bar("learning"), completed=done, total=of)

    def evaluating(self, done: int, of: int, row: "object") -> None:
        """Show the success so far of every arm at its latest checkpoint, and tokens per second."""
        from ..kernel.rows import Row

        assert isinstance(row, Row)
        wins = self._wins.setdefault(f"{row.arm}@{row.checkpoint}", [0, 0])
        wins[0] += row.outcome == "success"
        wins[1] += row.outcome != "unknown"
        if row.tokens_in:
            self._tokens += row.tokens_in + row.tokens_out
            self._seconds += row.seconds
        shown = " ".join(f"{k} {w}/{n}" for k, (w, n) in list(self._wins.items())[-4:])
        speed = f"{self._tokens / self._seconds:.0f} tokens/s" if self._seconds else ""
        self._progress.update(
            self._bar("evaluating"), completed=done, total=of, success=shown, speed=speed
        )


def arms_table(report: "object") -> Table:
    """Return a report's arms as a table."""
    from ..heldout.report import Report

    assert isinstance(report, Report)
    table = Table(title=f"{report.suite} ({report.split}), {report.model}, {report.learn}")
    for name in (
        "arm",
        "in memory",
        "tasks",
        "success",
        "95%",
        "score",
        "95%",
        "steps",
        "tokens read",
        "generated",
        "KL",
    ):
        table.add_column(name, justify="left" if name == "arm" else "right", overflow="fold")
    for arm, cells in report.arms.items():
        for point, cell in cells.items():
            table.add_row(
                arm,
                str(point),
                f"{cell.n}" + (f" (+{cell.unknown}?)" if cell.unknown else ""),
                f"{cell.success:.2f}",
                f"{cell.ci95[0]:.2f}-{cell.ci95[1]:.2f}",
                f"{cell.score:.3f}",
                f"{cell.score_ci95[0]:.2f}-{cell.score_ci95[1]:.2f}",
                f"{cell.steps:.1f}",
                f"{cell.tokens:.0f} in all" if cell.tokens_in is None else f"{cell.tokens_in:.0f}",
                "-" if cell.tokens_out is None else f"{cell.tokens_out:.0f}",
                "-" if cell.kl is None else f"{cell.kl:.2f}",
            )
    return table


def contrasts_table(report: "object") -> Table:
    """Return a report's paired differences as a table."""
    from ..heldout.report import Report

    assert isinstance(report, Report)
    table = Table(title="paired differences")
    for name in ("contrast", "in memory", "measure", "tasks", "difference", "95%"):
        table.add_column(name, justify="left" if name == "contrast" else "right")
    for c in report.contrasts:
        table.add_row(
            f"{c.a} - {c.b}",
            str(c.checkpoint),
            c.measure,
            str(c.n),
            f"{c.diff:+.3f}",
            f"{c.ci95[0]:+.3f} to {c.ci95[1]:+.3f}",
            style="green" if c.holds else None,
        )
    return table


def _names(text: str, option: str) -> list[str]:
    found = [part.strip() for part in text.split(",") if part.strip()]
    if not found:
        raise UsageError(f"{option} names nothing")
    return found


def _numbers(text: str) -> list[int]:
    try:
        found = sorted({int(part) for part in _names(text, "--checkpoints")})
    except ValueError as error:
        raise UsageError(f"--checkpoints {text!r} is not a list of whole numbers") from error
    if found[0] < 0:
        raise UsageError("a checkpoint cannot be negative")
    return found


def _forget_practice(folder: Path) -> None:
    """Remove an earlier practice evaluation; only from a folder that is one."""
    if not (folder / "practice.json").exists():
        raise UsageError(f"{folder} holds no practice evaluation; nothing was removed")
    for arm in ("none", "primitives", "skills"):
        shutil.rmtree(folder / arm, ignore_errors=True)
    (folder / "practice.json").unlink()


_MADE = ("rows.jsonl", "report.json", "report.html", "curve.png")
_STORED = ("ledger.sqlite*", "checkpoints.*", "index", "index.broken-*", "owner")


def forget(folder: Path) -> None:
    """Remove an earlier evaluation; only what one makes, from a folder that is one and is not in use."""
    from ....memory.ledger.errors import StoreInUse
    from ....memory.ledger.lock import claim

    if not (folder / "rows.jsonl").exists():
        raise UsageError(
            f"{folder} holds no evaluation (there is no rows.jsonl in it); nothing was removed",
            hint="Leave out --fresh, or name the folder of the evaluation.",
        )
    try:
        lock = claim(folder)
    except StoreInUse as error:
        raise StoreInUse(f"the evaluation in {folder} is running; nothing was removed") from error
    try:
        for pattern in (*_MADE, *_STORED):
            for path in folder.glob(pattern):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    finally:
        lock.release()
