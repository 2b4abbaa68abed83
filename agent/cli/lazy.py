"""Groups of commands read from the table: only the file of the command that runs is imported."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from ...envs.errors import LichenError, UnknownName, UsageError
from .old_spellings import moved
from .verbs import LEARN, LOOK, MEASURE, VERBS, Noun, Verb, below, interrupted, like, there

_RUNNING = "lichen.verb"


class Interrupted(LichenError):
    """A person ended a command with Ctrl-C."""


class Verbs(TyperGroup):
    """The commands below one noun, or below `lichen` itself."""

    words = ""
    """The noun; "" for `lichen`."""
    alone = False
    """Whether the noun is a command too, with options of its own."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the words that can follow."""
        return list(below(self.words))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command, its file imported, or a group below this one; None when there is no such word."""
        row = below(self.words).get(cmd_name)
        if isinstance(row, Verb):
            ctx.meta[_RUNNING] = row
            return command_of(row)
        if isinstance(row, Noun):
            return _group(cmd_name, row, ctx)
        return None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that the words name.

        Raises:
            UsageError: They are an old spelling.
            UnknownName: They name no command.
        """
        if not ctx.resilient_parsing:
            if says := moved([*self.words.split(), *args]):
                raise UsageError(says)
            known = below(self.words)
            if args[0] not in known and not args[0].startswith("-"):
                kind = f"`lichen {self.words}` command" if self.words else "command"
                near = [f"`lichen {words}`" for words in like(args[0])]
                hint = f"There is {' and '.join(near)}." if near else None
                raise UnknownName(kind, args[0], known, hint=hint)
        if self.alone:
            self.callback = None  # it is the word below it that runs
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that the words name.

        Raises:
            Interrupted: A person ended it; the sentence says whether the same command goes on.
        """
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as end:
            verb = ctx.meta.get(_RUNNING)
            raise Interrupted(interrupted(verb.words if verb is not None else "")) from end

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write usage, what it is for, and the words that can follow, by heading."""
        formatter.write_usage(ctx.command_path, "COMMAND ...")
        formatter.write_paragraph()
        formatter.write_text(self.help or "")
        rows = below(self.words)
        for heading in (LEARN, LOOK, MEASURE) if not self.words else ("",):
            held = [(word, row.help) for word, row in rows.items() if row.heading == heading]
            if held:
                with formatter.section(heading or "Commands"):
                    formatter.write_dl(held)
        formatter.write_paragraph()
        if self.alone:
            told = [param.get_help_record(ctx) for param in self.get_params(ctx)]
            with formatter.section("Options"):
                formatter.write_dl([row for row in told if row is not None])
            return
        options = ", ".join(opts for param in self.get_params(ctx) for opts in param.opts)
        formatter.write_text(f"Options: {options}")


def _group(name: str, row: Noun, ctx: Any) -> Verbs:
    """Return the commands below a noun, which may be a command itself."""
    own = next((verb for verb in VERBS if verb.words == row.words and there(verb.module)), None)
    if own is None:
        group = Verbs(name=name, help=row.help, no_args_is_help=True, rich_markup_mode=None)
        group.words = row.words
        return group
    command = command_of(own)
    ctx.meta[_RUNNING] = own
    group = Verbs(
        name=name,
        help=row.help,
        params=command.params,
        callback=command.callback,
        invoke_without_command=True,
        rich_markup_mode=None,
    )
    group.words, group.alone = row.words, True
    return group


def command_of(row: Verb) -> Any:
    """Import the file of a command and return it as the command line calls it."""
    alone = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    alone.command(row.words.split()[-1])(getattr(import_module(row.module), row.function))
    return get_command(alone)
