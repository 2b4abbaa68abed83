"""`lichen skills why`: which skills a task would be offered, and why."""

from typing import Annotated

import typer
from rich.table import Table

from .options import Config, Json, LibraryFolder, Store, open_library, out, row, write_json


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
    from ...skills.skill_retriever import SkillRetriever, SkillRetrieverConfig
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
    retriever = SkillRetriever(
        found.all(), index, SkillRetrieverConfig(threshold=settings.skills.threshold)
    )
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
