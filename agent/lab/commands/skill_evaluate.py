"""`lichen skills evaluate`: practice with and without a library, and the library in new worlds."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ...cli.options import (
    BaseUrl,
    Config,
    Fresh,
    Json,
    Model,
    Seed,
    Set,
    episode_progress,
    names,
    out,
    settings,
    write_json,
)

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID

    from ...practice.practice_loop import Iteration
    from ..practice.practice_evaluation import PracticeReport


def evaluate_command(
    suite: Annotated[
        str, typer.Argument(help="A suite whose environment has goals: crafter, textcraft-open.")
    ],
    iterations: Annotated[
        int, typer.Option("--iterations", "-n", min=1, help="Attempts of each arm.")
    ] = 20,
    arms: Annotated[
        str, typer.Option("--arms", help="Arms to compare, separated by commas.")
    ] = "none,primitives,skills,skills-frozen",
    tasks: Annotated[
        int | None,
        typer.Option(
            "--tasks", min=1, help="New worlds for skills-frozen. [default: the suite's, or 8]"
        ),
    ] = None,
    split: Annotated[
        Literal["dev", "test"], typer.Option("--split", help="Split of the new worlds.")
    ] = "test",
    moves: Annotated[
        int, typer.Option("--moves", min=1, help="Moves of an episode in a new world.")
    ] = 100,
    no_llm: Annotated[bool, typer.Option("--no-llm", help="No model chooses the goals.")] = False,
    write: Annotated[
        bool, typer.Option("--write", help="The model writes code too (a capable one).")
    ] = False,
    store: Annotated[
        Path | None,
        typer.Option(
            "--store", help="Folder of this evaluation. [default: .lichen/practice/SUITE-...]"
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
    """Practise with and without a library, and play the library in worlds that nobody practised in.

    Arms: none (single actions), primitives (the environment's controls), skills (controls and a library that
    grows), skills-frozen (that library in new worlds). The same command continues after an interruption.
    The folder then holds practice.json.
    """
    from ....envs.suite import load_suite
    from ....skills.jail import open_jail
    from ....skills.skill_runner import Runner
    from ....skills.views import figures
    from ...config import load_config
    from ...practice.practice_parts import CALL_STEPS, chooser, ground, writing
    from ...practice.practice_run import run_practice
    from ..kernel.identity import identity_file
    from ..kernel.reports import save_report
    from ..practice import practice_arms as known
    from ..practice import practice_evaluation as practice

    options = settings(set_, no_llm=no_llm, model=model, base_url=base_url, seed=seed)
    base = load_config(config, **options)
    wanted, asked = load_suite(suite), names(arms, "--arms")
    chosen = known.find_practice_arms(asked)
    folder = store or base.store / "practice" / f"{wanted.name}-seed{base.seed}"
    if fresh:
        practice.forget_practice(folder)
    environment, worlds = ground(
        wanted, base.seed, hint="Take a suite with goals: crafter, textcraft-open."
    )
    identity_file(
        folder / practice.SETTINGS,
        practice.identity_of(wanted, base.seed, "" if no_llm else base.model, write=write),
        "a practice evaluation",
    )
    count = tasks or wanted.eval_tasks or 8
    new = wanted.task_ids(split, count, base.seed, environment)
    results, libraries = {}, {}
    with (
        asyncio.Runner() as loop,
        open_jail(warm=1) as jail,
        episode_progress() as progress,
    ):
        runner = Runner({}, jail, steps=CALL_STEPS)
        llm = None if no_llm else base.open_llm()
        choose = chooser(llm) if llm is not None else None
        writer = writing(llm, base.embedder) if write else None
        for arm in chosen:
            bar = progress.add_task(arm.name, total=iterations, success="", speed="")

            def told(name: str, done: "Iteration", reached: int, bar: "TaskID" = bar) -> None:
                progress.update(
                    bar,
                    completed=done.number + 1,
                    success=f"{reached} goals reached",
                )

            results[arm.name], libraries[arm.name] = run_practice(
                arm.name,
                arm.config,
                environment,
                worlds,
                folder / arm.name,
                iterations=iterations,
                seed=base.seed,
                runner=runner,
                choose=choose,
                writer=writer,
                run=loop.run,
                on_iteration=told,
            )
        library = libraries.get("skills")
        frozen = {}
        if known.FROZEN in asked and new:
            frozen = practice.run_frozen(
                environment, new, runner, library, moves=moves, seed=base.seed
            )
        if llm is not None:
            loop.run(llm.close())
    report = practice.PracticeReport(
        suite=wanted.name,
        seed=base.seed,
        iterations=iterations,
        arms=results,
        frozen=frozen,
        figures=figures(library) if library is not None else None,
        seconds=round(sum(r.seconds for r in results.values()), 1),
    )
    environment.close()
    write_json(save_report(report, folder / practice.REPORT), json_path)
    if json_path != "-":
        _print(report, wanted.env, out(json_path), folder)


def _print(report: "PracticeReport", env: str, console: "Console", folder: Path) -> None:
    from ..kernel.tables import table
    from ..practice.practice_evaluation import ratios

    tiers = _tiers(env)
    rows = []
    for name, arm in report.arms.items():
        at = [
            str(min((arm.reached[g] for g in goals if g in arm.reached), default="-"))
            for goals in tiers.values()
        ]
        spent = (f"{arm.steps:,}", f"{arm.practice_steps:,}", f"{arm.seconds:.0f}")
        rows.append((name, str(len(arm.reached)), *at, *spent))
    title = f"{report.suite}: {report.iterations} iterations, seed {report.seed}"
    columns = ("arm", "goals", *tiers, "steps", "practice steps", "seconds")
    console.print(table(title, columns, rows))
    for name, zero in report.frozen.items():
        said = f"{name}: {zero.mean:.2f} goals an episode in {len(zero.episodes)} new worlds"
        if tiers:
            from ....envs.crafter import crafter_score

            rates = {g.rpartition(".")[2]: r for g, r in zero.rates.items()}
            said += f", Crafter score {crafter_score(rates):.1f}"
        console.print(said)
    for what, ratio in ratios(report, tiers).items():
        shown = "-" if ratio is None else f"{ratio:.1f}x"
        console.print(f"skills over primitives, {what}: {shown}")
    if report.figures is not None:
        f = report.figures
        console.print(
            f"library: {f.skills} skills, {f.with_parameters:.0%} with parameters, "
            f"{f.composed:.0%} call another, {f.deepest} deep"
        )
    console.print(f"report: {folder / 'practice.json'}")


def _tiers(env: str) -> dict[str, tuple[str, ...]]:
    """Return the tiers of a tech tree: tier -> facts, one of which reaches it."""
    if env != "crafter":
        return {}
    from ....envs.crafter import TIERS

    return {tier: tuple(f"unlocked.{name}" for name in goals) for tier, goals in TIERS.items()}
