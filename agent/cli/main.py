"""`lichen`: the one place where an error becomes a sentence and an exit status. The commands are in `verbs`."""

import os
import sys

import typer

from ...envs.errors import LichenError
from .lazy import Interrupted, Verbs
from .shown import guard_streams

INTERRUPTED = 130

app = typer.Typer(
    cls=Verbs,
    name="lichen",
    help="An agent that learns only in memory: its language model stays frozen.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["--help", "-h"]},
)


@app.callback(invoke_without_command=True)
def root(
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    """Hold the options of all commands."""
    if version:
        from importlib.metadata import version as installed

        typer.echo(installed("lichen"))
        raise typer.Exit()


def main() -> None:
    """Run the command line; exit 0 done, 1 a check does not hold, 2 usage or set-up error."""
    guard_streams()
    try:
        app()
    except Interrupted as end:
        _say(str(end))
        sys.exit(INTERRUPTED)
    except LichenError as error:
        _say(f"{_one_line(str(error))}")
        if error.hint:
            _say(error.hint)
        sys.exit(2)
    except OSError as error:
        if isinstance(error, BrokenPipeError):  # the reader of our output has gone: nothing to say
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        _say(f"The machine refused: {error.strerror or error}: {error.filename or ''}".rstrip(": "))
        sys.exit(2)


def _say(text: str) -> None:
    print(f"lichen: {text}", file=sys.stderr)


def _one_line(text: str) -> str:
    return " ".join(text.split())
