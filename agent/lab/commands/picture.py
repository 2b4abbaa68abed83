"""`lichen bench picture`: draw the learning curve of a report again."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from ....envs.errors import BadFile


def picture_command(
    report: Annotated[Path, typer.Argument(help="A report.json of `lichen eval`.")],
    to: Annotated[Path, typer.Argument(help="The PNG to write; the page goes beside it.")],
    measure: Annotated[
        Literal["success", "score"], typer.Option("--measure", help="What to draw.")
    ] = "success",
) -> None:
    """Draw the learning curve of a report again."""
    from pydantic import ValidationError

    from ..heldout.heldout_report import Report
    from ..heldout.learning_curve import draw, write_page

    try:
        loaded = Report.model_validate_json(report.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadFile(f"there is no report {report}") from error
    except (ValidationError, UnicodeDecodeError) as error:
        raise BadFile(f"{report} is not a report of `lichen eval`") from error
    draw(loaded, to, measure=measure)
    write_page(loaded, to, to.with_suffix(".html"))
    typer.echo(f"{to} and {to.with_suffix('.html')}")
