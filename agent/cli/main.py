"""`lichen`: the commands together, and the one place where an error becomes a sentence and an exit status."""

import os
import sys

import typer

from ...envs.errors import LichenError
from ..cli import doctor, envs, memory, softcot
from ..cli import run as learning
from ..lab.commands import bench, certify, faithfulness
from ..lab.commands import evaluate as evaluation
from ..lab.commands import skill_audit as audit
from .jail import jail_app

INTERRUPTED = 130

app = typer.Typer(
    name="lichen",
    help="An agent that gets better while its language model stays frozen: everything it learns is in memory.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.add_typer(envs.app, name="envs")
app.add_typer(memory.app, name="memory")
audit.app.add_typer(jail_app, name="jail")
app.add_typer(audit.app, name="skills")
app.add_typer(bench.app, name="bench")
app.add_typer(softcot.app, name="softcot")
app.command("run")(learning.run)
app.command("eval", cls=faithfulness.EvalCommand, epilog=faithfulness.EPILOG)(
    evaluation.evaluate_command
)
app.command("certify")(certify.certify_command)
app.command("picture")(evaluation.picture_command)
app.command("doctor")(doctor.doctor)


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
    try:
        app()
    except LichenError as error:
        _say(f"{_one_line(str(error))}")
        if error.hint:
            _say(error.hint)
        sys.exit(2)
    except SystemExit as end:
        if end.code == INTERRUPTED:  # typer turns Ctrl-C into this
            anew = sys.argv[1:3] == ["eval", faithfulness.NAME] or sys.argv[1:2] == ["certify"]
            _say(
                "Interrupted. Nothing was written; the same command begins anew."
                if anew
                else "Interrupted. What was done is kept; the same command continues."
            )
        raise
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
