"""What commands share: options, the settings they come to, where output goes, the library that is named."""

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from ...envs.errors import UnknownName, UsageError
from ...envs.shown_text import shown, shown_json
from .terminal import Terminal

if TYPE_CHECKING:
    from ...skills.library import Library

DEFAULT = Path(".lichen")
"""The store of commands that no --store is given to."""

EnvOption = Annotated[
    list[str] | None,
    typer.Option("--option", help="An option of the environment as KEY=VALUE; repeatable."),
]
Store = Annotated[
    Path | None, typer.Option("--store", help="Folder of the memory. [default: .lichen]")
]
Config = Annotated[Path | None, typer.Option("--config", help="Settings file (TOML).")]
Model = Annotated[
    str | None,
    typer.Option(
        "--model", help="smollm2-135m, a folder, a hub id, llamacpp:FILE.gguf or openai:MODEL."
    ),
]
BaseUrl = Annotated[
    str | None, typer.Option("--base-url", help="OpenAI-compatible server, for openai:MODEL.")
]
Seed = Annotated[
    int | None, typer.Option("--seed", min=0, help="Seed of every random choice. [default: 0]")
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="A setting as KEY=VALUE, for example policy.votes=3; repeatable."),
]
Json = Annotated[
    str | None,
    typer.Option("--json", help="Write one JSON object to this file (- for standard output)."),
]

LibraryFolder = Annotated[
    Path | None,
    typer.Option("--library", help="Folder of the library. [default: skills in the store]"),
]


def folder_of(library: Path | None, store: Path | None) -> Path:
    """Return the folder of the library that the options name."""
    return library or (store or Path(".lichen")) / "skills"


def skill_names(context: typer.Context, incomplete: str) -> list[str]:
    """Complete a skill's name."""
    library = folder_of(context.params.get("library"), context.params.get("store"))
    if not library.is_dir():
        return []
    return sorted(
        path.name
        for shelf in ("skills", "proposals", "drafts", "quarantine", "archive")
        for path in (library / shelf).glob(f"{incomplete}*")
        if path.is_dir()
    )


SkillName = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="A skill: NAME or NAME@VERSION.", autocompletion=skill_names
    ),
]
Assistant = Annotated[
    str | None,
    typer.Option("--assistant", help="Small model: as --model. [default: the same as --model]"),
]
Source = Annotated[
    str,
    typer.Argument(
        help="`own` (the store's verified successes), countdown3, sudoku4, words, gold:SUITE, or a .jsonl file "
        "of examples."
    ),
]
ProjectionFolder = Annotated[
    Path | None,
    typer.Option("--folder", help="Folder of the projection. [default: STORE/softcot/SOURCE]"),
]
SuiteArgument = Annotated[
    str, typer.Argument(help="A suite: a shipped name, or a TOML or YAML file.")
]
NoLlm = Annotated[bool, typer.Option("--no-llm", help="Ask no model (policy.llm=false).")]
Fresh = Annotated[
    bool,
    typer.Option("--fresh", help="Forget an earlier run of this in its folder, and begin anew."),
]

WIDTH = 120
EVERY = 30.0
"""Seconds between two lines of progress in a log."""

progress_console = Terminal(stderr=True)


def out(json_path: str | None) -> Terminal:
    """Return where tables go: standard output, or standard error when that carries JSON."""
    errors = json_path == "-"
    stream = sys.stderr if errors else sys.stdout
    # into a file or a pipe a table is written whole, whatever width the terminal of the caller has
    return Terminal(stderr=errors, width=None if stream.isatty() else WIDTH)


class LoggedProgress(Progress):
    """A progress display that writes a line now and then where there is no terminal: a log shows it too."""

    _told = 0.0

    def update(self, task_id: TaskID, **change: Any) -> None:
        """Update a task; see `rich.progress.Progress.update`."""
        super().update(task_id, **change)
        now = time.monotonic()
        task = self._tasks[task_id]
        over = task.total is not None and task.completed >= task.total
        if self.console.is_terminal or not (over or now - self._told >= EVERY):
            return
        self._told = now
        said = " ".join(str(task.fields.get(name, "")) for name in ("success", "speed"))
        of = "?" if task.total is None else f"{task.total:.0f}"
        line = f"{task.description} {task.completed:.0f}/{of} {said}".rstrip()
        self.console.file.write(f"{time.strftime('%H:%M:%S')} {line}\n")
        self.console.file.flush()


def episode_progress() -> Progress:
    """Return the progress display of episodes, on standard error."""
    return LoggedProgress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[success]}"),
        TextColumn("{task.fields[speed]}"),
        console=progress_console,
    )


def row(table: Table, *cells: str, style: str | None = None) -> None:
    """Add a row of plain texts: what was remembered may look like markup and is none."""
    table.add_row(*(Text(shown(cell)) for cell in cells), style=style)


def write_json(value: Any, path: str | None) -> None:
    """Write one JSON object to a file or, for `-`, to standard output; nothing for None."""
    if path is None:
        return
    text = value if isinstance(value, str) else json.dumps(value, indent=1, ensure_ascii=False)
    if path == "-":
        utf = (sys.stdout.encoding or "").lower().startswith("utf")
        sys.stdout.write(shown_json(text, ascii_only=not utf) + "\n")
        return
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(shown_json(text) + "\n", encoding="utf-8")


def open_library(library: Path | None, store: Path | None) -> "Library":
    """Return the library that the options name, to be looked at.

    Raises:
        UnknownSkill: There is none.
    """
    from ...skills.errors import UnknownSkill
    from ...skills.library import Library

    folder = folder_of(library, store)
    if not (folder / ".git").exists():
        raise UnknownSkill(
            f"there is no library in {folder}",
            hint="`lichen skills new NAME --env ENV` begins one; --library names another folder.",
        )
    return Library(folder)


def settings(pairs: list[str] | None, *, no_llm: bool = False, **options: Any) -> dict[str, Any]:
    """Return `--set` pairs as nested settings, together with the options that have one of their own.

    Raises:
        UsageError: A pair is none, names no setting, or says again what an option says.

    >>> settings(["policy.votes=3", "planner=plan"], seed=3, model=None)
    {'policy': {'votes': 3}, 'planner': 'plan', 'seed': 3}
    """
    from ..config import AgentConfig

    found: dict[str, Any] = {}
    for pair in pairs or []:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise UsageError(f"--set {pair!r} is not KEY=VALUE")
        *path, last = key.split(".")
        if (first := key.split(".")[0]) not in AgentConfig.model_fields:
            raise UnknownName("setting", first, AgentConfig.model_fields)
        inner = found
        for part in path:
            inner = inner.setdefault(part, {})
            if not isinstance(inner, dict):
                raise UsageError(f"--set {pair!r}: {part!r} was already set to {inner!r}")
        inner[last] = value_of(value)
    given = {name: value for name, value in options.items() if value is not None}
    if twice := sorted(given.keys() & found.keys()):
        raise UsageError(f"{twice[0]!r} is given twice: as an option and with --set")
    if no_llm:
        policy = found.get("policy", {})
        if not isinstance(policy, dict):
            raise UsageError(f"--set 'policy={policy}': a setting is policy.NAME")
        found["policy"] = {**policy, "llm": False}
    return found | given


def names(text: str, option: str) -> list[str]:
    """Return the parts of a list with commas.

    Raises:
        UsageError: There are none.
    """
    found = [part.strip() for part in text.split(",") if part.strip()]
    if not found:
        raise UsageError(f"{option} names nothing")
    return found


def numbers(text: str, option: str) -> list[int]:
    """Return the whole numbers of a list with commas, each once, in their order.

    Raises:
        UsageError: There are none, one is no whole number, or one is negative.

    >>> numbers("10,0,3,3", "--checkpoints")
    [0, 3, 10]
    """
    try:
        found = sorted({int(part) for part in names(text, option)})
    except ValueError as error:
        raise UsageError(f"{option} {text!r} is not a list of whole numbers") from error
    if found[0] < 0:
        raise UsageError(f"{option} {text!r} has a negative number")
    return found


def value_of(text: str) -> Any:
    """Return what a person wrote as a value: JSON, or else the text itself."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def options_of(given: list[str] | None) -> dict[str, object]:
    """Return options of an environment from KEY=VALUE, values as JSON or else as text.

    Raises:
        UsageError: One has no key.
    """
    found: dict[str, object] = {}
    for part in given or ():
        key, equals, value = part.partition("=")
        if not key or not equals:
            raise UsageError(f"--option {part!r} is not of the form KEY=VALUE")
        found[key] = value_of(value)
    return found
