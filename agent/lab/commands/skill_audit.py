"""`lichen skills audit SUITE`: what a library is worth, by goals where there are any, else by whole tasks."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...cli.options import (
    BaseUrl,
    Config,
    Fresh,
    Json,
    LibraryFolder,
    Model,
    NoLlm,
    Seed,
    Set,
    Store,
    SuiteArgument,
    episode_progress,
    open_library,
    out,
    progress_console,
    settings,
    write_json,
)

if TYPE_CHECKING:
    from ....envs.suite import Suite
    from ....skills.library import Library
    from ..heldout.heldout_report import Report


def audit_command(
    suite: SuiteArgument,
    tasks: Annotated[
        int, typer.Option("--tasks", "--worlds", min=2, help="Tasks of the test split.")
    ] = 20,
    moves: Annotated[
        int, typer.Option("--moves", min=1, help="Where it has goals: moves of an episode.")
    ] = 100,
    cases: Annotated[
        int,
        typer.Option("--cases", min=0, help="Where it has none: demonstrations in memory."),
    ] = 10,
    each: Annotated[
        bool, typer.Option("--each/--no-each", help="Leave each skill out in turn.")
    ] = True,
    no_llm: NoLlm = False,
    fresh: Fresh = False,
    config: Config = None,
    model: Model = None,
    base_url: BaseUrl = None,
    seed: Seed = None,
    set_: Set = None,
    library: LibraryFolder = None,
    store: Store = None,
    json_path: Json = None,
) -> None:
    """Say what the library is worth: on, off, placebo, each skill left out; exit 1 unless it helps.

    Where the suite has goals (crafter, textcraft-open), goals an episode are counted and no model is asked.
    Else whole tasks are played with skills on top of cases, paired by task, every arm with the same steps
    and the tokens that the table says; the same command goes on after an interruption.
    """
    from ....envs.suite import load_suite
    from ...skill_actions.open_library import OpenLibrary

    loaded = load_suite(suite)
    found = open_library(library, store)
    with OpenLibrary(found.root) as shop:
        environment = shop.environment(loaded.env)
        environment.reset(loaded.task_ids("test", 1, seed or 0, environment)[0])
        practised = bool(environment.goals())
    if practised:
        _by_goals(
            loaded,
            found,
            worlds=tasks,
            moves=moves,
            each=each,
            seed=seed or 0,
            json_path=json_path,
        )
        return
    options = settings(set_, no_llm=no_llm, model=model, base_url=base_url, seed=seed)
    options["skills"] = {**options.get("skills", {}), "library": found.root}
    _by_tasks(loaded, found, store, config, options, tasks, cases, each, fresh, json_path)


def _by_goals(
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
    from ...practice.practice_parts import CALL_STEPS
    from ...skill_actions.open_library import OpenLibrary
    from ..kernel.tables import table
    from ..practice.practice_audit import audit

    with OpenLibrary(library.root, warm=1, steps=CALL_STEPS) as shop:
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
        compared = (
            (f"on {report.on:.2f} - off {report.off:.2f}", report.on_off),
            (f"on - placebo {report.placebo:.2f}", report.on_placebo),
            ("placebo - off", report.placebo_off),
            *((f"on - without {name}", one) for name, one in report.without.items()),
        )
        out(json_path).print(
            table(
                f"{report.worlds} worlds, {report.moves} moves, goals an episode",
                ("", "difference", "95%"),
                [
                    (what, f"{one.mean:+.2f}", f"{one.ci95[0]:+.2f} to {one.ci95[1]:+.2f}")
                    for what, one in compared
                ],
                left=("",),
            )
        )
    if not report.holds:
        raise typer.Exit(1)


def _by_tasks(
    suite: "Suite",
    library: "Library",
    store: Path | None,
    config: Path | None,
    options: dict[str, Any],
    tasks: int,
    cases: int,
    each: bool,
    fresh: bool,
    json_path: str | None,
) -> None:
    """Audit by the evaluation that `lichen eval` runs, in a folder of its own."""
    from ...config import load_config
    from ...open_agent import OpenAgent
    from ..heldout.heldout_run import HeldOutPlan, evaluate, forget_evaluation
    from ..heldout.heldout_tables import arms_table, contrasts_table
    from ..heldout.policy_arms import audit_arms
    from ..heldout.progress_bars import Bars
    from ..kernel.reports import save_report

    base = load_config(config, **options)
    named = f"{suite.name}-{cases}-seed{base.seed}" + "-no-llm" * (not base.policy.llm)
    folder = (store or base.store) / "audit" / named
    if fresh:
        forget_evaluation(folder)
    plan = HeldOutPlan(
        suite=suite,
        arms=audit_arms(_left_out(library, suite.env) if each else {}),
        checkpoints=(cases,),
        learn="demonstrations",
        split="test",
        tasks=tasks,
        seed=base.seed,
    )
    with (
        OpenAgent.from_config(config, **{**options, "store": folder}) as agent,
        episode_progress() as progress,
    ):
        report = evaluate(agent, plan, folder, Bars(progress))
    write_json(save_report(report, folder / "report.json"), json_path)
    if json_path != "-":
        console = out(json_path)
        console.print(arms_table(report))
        console.print(contrasts_table(report))
        console.print(_spent(report))
        console.print(
            "the library helps, by its interval, and its placebo does not do as well"
            if report.skills_hold
            else "not shown to help: its interval over memory alone reaches 0, or its placebo does as well"
        )
        console.print(f"report: {folder / 'report.json'}", markup=False)
    if not report.skills_hold:
        raise typer.Exit(1)


def _left_out(library: "Library", env: str) -> dict[str, set[str]]:
    """Return what goes with each skill of an environment: itself and what depends on it, by `name@version`."""
    from ....skills.call_graph import dependents

    skills = library.all()
    return {
        skill.id: {name, *(path[-1] for path in dependents(skills, name))}
        for name, skill in skills.items()
        if skill.runnable and skill.contract.env == env
    }


def _spent(report: "Report") -> str:
    """Return whether the arms had equal token budgets, in words."""
    spent = {arm: next(iter(cells.values())).tokens for arm, cells in report.arms.items() if cells}
    off = spent.get("memory", 0.0)
    if not any(spent.values()):
        return "tokens: no model was asked in any arm; each had the same steps"
    parts = [
        f"{arm} {tokens / off:.2f}x" for arm, tokens in spent.items() if off and arm != "memory"
    ]
    return f"tokens a task, of {off:.0f} with memory alone: {', '.join(parts)}; each had the same steps"
