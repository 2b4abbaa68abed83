"""`lichen skills audit SUITE`: what a library is worth, by goals where there are any, else by whole tasks."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...cli.options import BaseUrl, Config, Json, Model, Seed, Set, Store, out, settings, write_json
from ...cli.practise import app
from ...cli.run import episode_progress
from ...cli.skills import LibraryFolder, opened

if TYPE_CHECKING:
    from ....envs.suite import Suite
    from ....skills.library import Library
    from ..heldout.report import Report


@app.command("audit")
def audit_command(
    suite: Annotated[str, typer.Argument(help="A suite: a shipped name, or a TOML or YAML file.")],
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
    no_llm: Annotated[
        bool, typer.Option("--no-llm", help="Ask no model (policy.llm=false).")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Forget an earlier audit of these settings.")
    ] = False,
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
    from .practice import audit_by_goals

    loaded = load_suite(suite)
    found = opened(library, store)
    with OpenLibrary(found.root) as shop:
        environment = shop.environment(loaded.env)
        environment.reset(loaded.task_ids("test", 1, seed or 0, environment)[0])
        practised = bool(environment.goals())
    if practised:
        audit_by_goals(
            loaded,
            found,
            worlds=tasks,
            moves=moves,
            each=each,
            seed=seed or 0,
            json_path=json_path,
        )
        return
    options = settings(set_, model=model, base_url=base_url, seed=seed)
    if no_llm:
        options["policy"] = {**options.get("policy", {}), "llm": False}
    options["skills"] = {**options.get("skills", {}), "library": found.root}
    by_tasks(loaded, found, store, config, options, tasks, cases, each, fresh, json_path)


def by_tasks(
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
    from ..heldout.arms import audit_arms
    from ..heldout.evaluation import Plan, evaluate
    from .evaluate import Bars, arms_table, contrasts_table, forget

    base = load_config(config, **options)
    named = f"{suite.name}-{cases}-seed{base.seed}" + "-no-llm" * (not base.policy.llm)
    folder = (store or base.store) / "audit" / named
    if fresh and folder.exists():
        forget(folder)
    plan = Plan(
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
    text = report.model_dump_json(indent=1)
    write_json(text, str(folder / "report.json"))
    write_json(text, json_path)
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


__all__ = ["app"]
