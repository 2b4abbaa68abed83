"""`lichen eval SUITE --iterations N`: practice arms, the library's figures, zero-shot in new worlds."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from .learning import episode_progress
from .options import out, write_json

if TYPE_CHECKING:
    from rich.progress import TaskID

    from ...envs.suite import Suite
    from ...envs.types import Split
    from ..config import AgentConfig
    from ..practice.curriculum import Choose
    from ..practice.evaluation import PracticeReport
    from ..practice.loop import Iteration


def evaluate_practice(
    suite: "Suite",
    arms: list[str],
    iterations: int,
    folder: Path,
    *,
    seed: int,
    split: "Split",
    tasks: int,
    config: "AgentConfig | None",
    moves: int,
    json_path: str | None,
) -> None:
    """Run the arms, print the table and write `practice.json` into the folder.

    Args:
        suite: Of an environment with goals.
        arms: By name; see `practice.arms`.
        iterations: Attempts of each arm.
        folder: Of the evaluation.
        seed: Of everything random.
        split: Of the worlds for the zero-shot episodes.
        tasks: How many of them.
        config: Names the frozen model that chooses goals; None: the curriculum's own order.
        moves: Of a zero-shot episode.
        json_path: Where the report goes as well.
    """
    from ...envs.errors import UsageError
    from ...envs.registry import make
    from ...skills.jail import open_jail
    from ...skills.runner import Runner, RunnerConfig
    from ..practice import arms as known
    from ..practice.evaluation import PracticeReport, figures_of, run_arm, run_frozen

    environment = make(suite.env, **suite.env_options)
    environment.max_steps = suite.max_steps
    worlds = suite.task_ids("train", None, seed, environment)
    new = suite.task_ids(split, tasks, seed, environment)
    environment.reset(worlds[0])
    if not environment.goals():
        raise UsageError(
            f"{suite.env} names no goals to practise", hint="Leave out --iterations for this suite."
        )
    results, libraries = {}, {}
    console = out(json_path)
    with (
        asyncio.Runner() as loop,
        open_jail(warm=1) as jail,
        episode_progress() as progress,
    ):
        runner = Runner({}, jail, RunnerConfig(steps=3000))
        choose, close = _chooser(config)
        for arm in known.find(arms):
            bar = progress.add_task(arm.name, total=iterations, success="", speed="")

            def told(name: str, done: "Iteration", reached: int, bar: "TaskID" = bar) -> None:
                progress.update(
                    bar,
                    completed=done.number + 1,
                    success=f"{reached} goals reached",
                )

            results[arm.name], libraries[arm.name] = run_arm(
                arm,
                environment,
                worlds,
                folder / arm.name,
                iterations=iterations,
                seed=seed,
                runner=runner,
                choose=choose,
                run=loop.run,
                on_iteration=told,
            )
        library = libraries.get("skills")
        frozen = {}
        if known.FROZEN in arms and new:
            frozen[known.FROZEN] = run_frozen(
                environment, new, runner, library, moves=moves, seed=seed
            )
            frozen["no library"] = run_frozen(
                environment, new, runner, None, moves=moves, seed=seed
            )
        if close is not None:
            loop.run(close())
    report = PracticeReport(
        suite=suite.name,
        seed=seed,
        iterations=iterations,
        arms=results,
        frozen=frozen,
        figures=figures_of(library) if library is not None else None,
        seconds=round(sum(r.seconds for r in results.values()), 1),
    )
    environment.close()
    text = report.model_dump_json(indent=1)
    write_json(text, str(folder / "practice.json"))
    write_json(text, json_path)
    if json_path != "-":
        _print(report, suite.env, console, folder)


def _chooser(
    config: "AgentConfig | None",
) -> "tuple[Choose | None, Callable[[], Coroutine[object, object, None]] | None]":
    """Return what chooses goals, and what closes it."""
    if config is None:
        return None, None
    from ..llm.registry import open_llm

    llm = open_llm(config.model, dtype=config.dtype, base_url=config.base_url)

    async def choose(prompt: str, options: Sequence[str]) -> int:
        scores = await llm.choose(prompt, options)
        return int(scores.argmax())

    return choose, llm.close


def _print(report: "PracticeReport", env: str, console: object, folder: Path) -> None:
    from rich.console import Console

    from ..practice.evaluation import ratios

    assert isinstance(console, Console)
    tiers = _tiers(env)
    table = Table(title=f"{report.suite}: {report.iterations} iterations, seed {report.seed}")
    for column in ("arm", "goals", *tiers, "steps", "practice steps", "seconds"):
        table.add_column(column, justify="left" if column == "arm" else "right")
    for name, arm in report.arms.items():
        at = [
            str(min((arm.reached[g] for g in goals if g in arm.reached), default="-"))
            for goals in tiers.values()
        ]
        table.add_row(
            name,
            str(len(arm.reached)),
            *at,
            f"{arm.steps:,}",
            f"{arm.practice_steps:,}",
            f"{arm.seconds:.0f}",
        )
    console.print(table)
    for name, zero in report.frozen.items():
        said = f"{name}: {zero.mean:.2f} goals an episode in {len(zero.episodes)} new worlds"
        if tiers:
            from ...envs.crafter import crafter_score

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
    from ...envs.crafter import TIERS

    return {tier: tuple(f"unlocked.{name}" for name in names) for tier, names in TIERS.items()}
