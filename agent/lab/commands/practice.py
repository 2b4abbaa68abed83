"""`lichen eval SUITE --iterations N` and `lichen skills audit`: practice arms, and what a library is worth."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.table import Table

from ...cli.options import out, progress_console, write_json
from ...cli.run import episode_progress
from ...cli.skill_growth import app

if TYPE_CHECKING:
    from rich.progress import TaskID

    from ....envs.base import Environment
    from ....envs.suite import Suite
    from ....envs.types import Split
    from ....skills.library import Library
    from ....skills.skill_runner import RunnerConfig
    from ...config import AgentConfig
    from ...llm.protocol import FrozenLLM
    from ...practice.code_writer import ActionWriter
    from ...practice.curriculum import Choose, Offer
    from ...practice.loop import Iteration
    from ..practice.practice_evaluation import PracticeReport


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
    write: bool,
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
        write: Whether the model writes code too.
        json_path: Where the report goes as well.
    """
    from ....skills.jail import open_jail
    from ....skills.skill_runner import Runner
    from ....skills.views import figures
    from ..practice import practice_arms as known
    from ..practice.practice_evaluation import PracticeReport, run_arm, run_frozen

    environment, worlds = ground(suite, seed, hint="Leave out --iterations for this suite.")
    new = suite.task_ids(split, tasks, seed, environment)
    results, libraries = {}, {}
    console = out(json_path)
    with (
        asyncio.Runner() as loop,
        open_jail(warm=1) as jail,
        episode_progress() as progress,
    ):
        runner = Runner({}, jail, bounds())
        llm = model(config)
        choose = chooser(llm) if llm is not None else None
        writer = writing(llm, config) if write else None
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
                writer=writer,
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
        if llm is not None:
            loop.run(llm.close())
    report = PracticeReport(
        suite=suite.name,
        seed=seed,
        iterations=iterations,
        arms=results,
        frozen=frozen,
        figures=figures(library) if library is not None else None,
        seconds=round(sum(r.seconds for r in results.values()), 1),
    )
    environment.close()
    text = report.model_dump_json(indent=1)
    write_json(text, str(folder / "practice.json"))
    write_json(text, json_path)
    if json_path != "-":
        _print(report, suite.env, console, folder)


def ground(suite: "Suite", seed: int, *, hint: str) -> "tuple[Environment, list[str]]":
    """Return the environment of a suite and the ids of the worlds to practise in.

    Args:
        suite: Of an environment with goals.
        seed: Of the order of the worlds.
        hint: What to do where it has none.

    Raises:
        UsageError: It has none.
    """
    from ....envs.errors import UsageError
    from ....envs.registry import make

    environment = make(suite.env, **suite.env_options)
    environment.max_steps = suite.max_steps
    worlds = suite.task_ids("train", None, seed, environment)
    environment.reset(worlds[0])
    if not environment.goals():
        raise UsageError(f"{suite.env} names no goals to practise", hint=hint)
    return environment, worlds


def model(config: "AgentConfig | None") -> "FrozenLLM | None":
    """Return the model that the settings name."""
    return None if config is None else config.open_llm()


def writing(llm: "FrozenLLM | None", config: "AgentConfig | None") -> "ActionWriter":
    """Return what writes code with a model.

    Raises:
        UsageError: There is no model.
    """
    from ....envs.errors import UsageError
    from ....memory.likeness.embedder import open_embedder
    from ...practice.answers import Answers
    from ...practice.code_writer import ActionWriter

    if llm is None or config is None:
        raise UsageError("--write needs a model", hint="Leave out --no-llm.")
    return ActionWriter(llm, Answers(llm, open_embedder(config.embedder)))


def chooser(llm: "FrozenLLM") -> "Choose":
    """Return what chooses goals with a model."""

    async def choose(prompt: str, offers: "Sequence[Offer]") -> int:
        scores = await llm.choose(prompt, [offer.goal for offer in offers])
        return int(scores.argmax())

    return choose


def _print(report: "PracticeReport", env: str, console: object, folder: Path) -> None:
    from rich.console import Console

    from ..practice.practice_evaluation import ratios

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

    return {tier: tuple(f"unlocked.{name}" for name in names) for tier, names in TIERS.items()}


def audit_by_goals(
    suite: "Suite",
    library: "Library",
    *,
    worlds: int,
    moves: int,
    each: bool,
    seed: int,
    json_path: str | None,
) -> None:
    """Audit a library where there are goals, and print what it is worth; exit 1 unless it helps.

    Args:
        suite: Of an environment with goals.
        library: Whose skills of that environment are audited.
        worlds: Of the test split, at most.
        moves: Of an episode.
        each: Whether each skill is left out in turn.
        seed: Of everything random.
        json_path: Where the report goes as well.
    """
    from ...skill_actions.open_library import OpenLibrary
    from ..practice.practice_audit import audit

    with OpenLibrary(library.root, warm=1, runner=bounds()) as shop:
        environment = shop.environment(suite.env)
        environment.max_steps = suite.max_steps
        ids = suite.task_ids("test", worlds, seed, environment)
        skills = {n: s for n, s in library.all().items() if s.contract.env == suite.env}
        report = audit(
            environment,
            ids,
            shop.runner(),
            skills,
            moves=moves,
            seed=seed,
            each=each,
            say=progress_console.print,
        )
    write_json(report.model_dump_json(indent=1), json_path)
    if json_path != "-":
        table = Table(title=f"{report.worlds} worlds, {report.moves} moves, goals an episode")
        for column in ("", "difference", "95%"):
            table.add_column(column, justify="left" if not column else "right")
        for what, one in (
            (f"on {report.on:.2f} - off {report.off:.2f}", report.on_off),
            (f"on - placebo {report.placebo:.2f}", report.on_placebo),
            ("placebo - off", report.placebo_off),
            *((f"on - without {name}", one) for name, one in report.without.items()),
        ):
            table.add_row(what, f"{one.mean:+.2f}", f"{one.ci95[0]:+.2f} to {one.ci95[1]:+.2f}")
        out(json_path).print(table)
    if not report.holds:
        raise typer.Exit(1)


def bounds() -> "RunnerConfig":
    """Return the bounds of a skill's call in practice."""
    from ....skills.skill_runner import RunnerConfig

    return RunnerConfig(steps=3000)


__all__ = ["app", "evaluate_practice"]
