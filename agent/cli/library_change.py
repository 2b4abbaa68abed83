"""What the commands that change the library have in common: how it is opened, and how a verdict is told."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import folder_of, out, progress_console, write_json

if TYPE_CHECKING:
    from ...skills.admission import Verdict
    from ...skills.trial import TestResult
    from ..skill_actions.open_library import OpenLibrary

Level = Annotated[
    str | None,
    typer.Option(
        "--jail", help="Jail level: kernel, bubblewrap, docker, none. [default: the safest here]"
    ),
]
By = Annotated[str, typer.Option("--by", help="Your name, for the history.")]
Because = Annotated[str, typer.Option("--reason", "-m", help="Why, in one sentence.")]


def opened_to_change(
    library: Path | None, store: Path | None, level: str | None, by: str
) -> "OpenLibrary":
    """Return the library to be changed by somebody, its tests told as they end."""
    from ..skill_actions.open_library import OpenLibrary

    return OpenLibrary(folder_of(library, store), level=level, author=by, on_result=say_result)


def say_result(result: "TestResult") -> None:
    """Print what came of a test."""
    mark = {"success": "[green]ok[/green]", "failure": "[red]FAILS[/red]"}.get(
        result.outcome, "[yellow]unknown[/yellow]"
    )
    progress_console.print(
        f"{mark} {result.skill} {result.test} ({result.steps} steps)", highlight=False
    )
    if result.reason:
        progress_console.print(f"   {result.reason}", markup=False)


def say_verdict(verdict: "Verdict", json_path: str | None) -> None:
    """Print a verdict; exit 1 when it is no."""
    from ...skills.operations import settled

    write_json(verdict.model_dump(mode="json"), json_path)
    settled(verdict)
    if json_path != "-":
        console = out(json_path)
        if verdict.outcome == "success":
            console.print(f"[green]{verdict.skill} is on {verdict.shelf}[/green]")
            if verdict.repinned:
                console.print(f"tested again and re-pinned: {', '.join(verdict.repinned)}")
        else:
            kept = "it is kept as a draft" if verdict.shelf == "drafts" else "nothing was changed"
            console.print(f"[red]{verdict.skill} was not admitted[/red]; {kept}")
        for reason in (*verdict.reasons, *verdict.left_out):
            console.print(f"  {reason}", markup=False)
    if verdict.outcome != "success":
        raise typer.Exit(1)
