"""`lichen skills induce | why`: how a library grows without a model that writes code, why a skill is found."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from .options import (
    Config,
    Json,
    LibraryFolder,
    Seed,
    Store,
    folder_of,
    open_library,
    out,
    progress_console,
    row,
    write_json,
)

if TYPE_CHECKING:
    from ...skills.admission import Verdict
    from ...skills.types import Skill


def induce_command(
    suite: Annotated[str, typer.Argument(help="A suite: a shipped name, or a TOML or YAML file.")],
    episodes: Annotated[
        int, typer.Option("--episodes", "-n", min=1, help="Training tasks to look at.")
    ] = 60,
    most: Annotated[
        int, typer.Option("--most", min=1, help="Skills that are admitted at most.")
    ] = 12,
    propose: Annotated[
        bool, typer.Option("--propose", help="What passes waits for a person's `approve`.")
    ] = False,
    jail: Annotated[
        str | None, typer.Option("--jail", help="Jail level for tests. [default: the safest here]")
    ] = None,
    seed: Seed = None,
    library: LibraryFolder = None,
    store: Store = None,
    json_path: Json = None,
) -> None:
    """Make skills of what recurs in the winning trajectories of a suite's training tasks; no model is asked.

    The same command goes on: what is in the library already is not made again.
    """
    from ...envs.suite import load_suite
    from ...skills.induction.induce import InduceConfig, induce
    from ...skills.induction.watch import winning
    from ..skill_actions.open_library import OpenLibrary

    loaded = load_suite(suite)

    def say(skill: "Skill", verdict: "Verdict") -> None:
        mark = "[green]admitted[/green]" if verdict.outcome == "success" else "[red]refused[/red]"
        progress_console.print(f"{mark} {skill.signature()}", highlight=False)
        for reason in verdict.reasons:
            progress_console.print(f"   {reason}", markup=False)

    with OpenLibrary(
        folder_of(library, store),
        level=jail,
        author="agent",
        approve=propose,
        warm=1,
    ) as shop:
        environment = shop.environment(loaded.env)
        ids = loaded.task_ids("train", None, seed or 0, environment)[:episodes]
        traces = winning(environment, ids)
        admitted = induce(traces, shop.gate(), InduceConfig(most=most), say)
        figures = shop.workshop.figures()
    write_json(
        {
            "trajectories": len(traces),
            "admitted": [verdict.skill for verdict in admitted],
            "figures": figures.model_dump(mode="json"),
        },
        json_path,
    )
    if json_path != "-":
        out(json_path).print(
            f"{len(admitted)} skills of {len(traces)} trajectories; the library has {figures.skills}: "
            f"{figures.with_parameters:.0%} with parameters, {figures.composed:.0%} call another"
        )


def why(
    task: Annotated[str, typer.Argument(metavar="TASK", help="A task id, or a goal in words.")],
    env: Annotated[
        str | None, typer.Option("--env", help="With a goal in words: the environment.")
    ] = None,
    config: Config = None,
    library: LibraryFolder = None,
    store: Store = None,
    json_path: Json = None,
) -> None:
    """Say which skills a task would be offered, and why: every part of every score, and what was left out."""
    from ...envs.registry import make
    from ...memory.likeness.embedder import open_embedder
    from ...skills.skill_index import Vectored
    from ...skills.skill_retriever import SkillRetriever
    from ...skills.skill_runner import view_of
    from ..config import load_config

    found = open_library(library, store)
    settings = load_config(config)
    view = None
    if "/" in task:
        environment = make(task.split("/", 1)[0])
        goal, env = environment.reset(task).goal, environment.name
        view = view_of(environment)
    elif env is None:
        raise typer.BadParameter("a goal in words needs --env", param_hint="--env")
    else:
        goal = task
    index = Vectored(None, open_embedder(settings.embedder))
    retriever = SkillRetriever(found.all(), index, settings.skills.retriever)
    hits = retriever.search(goal, env=env, view=view)
    write_json({"goal": goal, **hits.model_dump(mode="json")}, json_path)
    if json_path == "-":
        return
    console = out(json_path)
    console.print(f"goal: {goal}", markup=False)
    table = Table(title=f"{hits.considered} considered, threshold {hits.threshold:.2f}")
    for column in ("skill", "score", "cosine", "words", "name", "callable now", "found"):
        table.add_column(column, justify="left" if column == "skill" else "right")
    for hit in (*hits.hits, *hits.below):
        row(
            table,
            hit.skill,
            f"{hit.score:.2f}",
            f"{hit.cosine:.2f}",
            f"{hit.lexical:.2f}",
            f"{hit.named:.2f}",
            "yes" if hit.callable else "no",
            "yes" if hit in hits.hits else "no",
            style=None if hit in hits.hits else "dim",
        )
    console.print(table)
