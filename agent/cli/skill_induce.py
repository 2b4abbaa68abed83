"""`lichen skills induce`: skills of what recurs in winning trajectories; no model writes code."""

from typing import TYPE_CHECKING, Annotated

import typer

from .options import Json, LibraryFolder, Seed, Store, folder_of, out, progress_console, write_json

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
        admitted = induce(traces, shop.admission(), InduceConfig(most=most), say)
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
