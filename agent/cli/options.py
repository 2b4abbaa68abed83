"""Options that several commands share, and the way from them to an agent."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ...envs.errors import UnknownName, UsageError

Store = Annotated[
    Path | None, typer.Option("--store", help="Folder of the memory. [default: .lichen]")
]
Config = Annotated[Path | None, typer.Option("--config", help="Settings file (TOML).")]
Model = Annotated[
    str | None,
    typer.Option("--model", help="smollm2-135m, a folder, a GGUF file, a hub id, or openai:MODEL."),
]
BaseUrl = Annotated[
    str | None, typer.Option("--base-url", help="OpenAI-compatible server, for openai:MODEL.")
]
Seed = Annotated[
    int | None, typer.Option("--seed", min=0, help="Seed of every random choice. [default: 0]")
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="A setting as KEY=VALUE, for example policy.beta=0.1; repeatable."),
]
Json = Annotated[
    str | None,
    typer.Option("--json", help="Write one JSON object to this file (- for standard output)."),
]

WIDTH = 120

progress_console = Console(stderr=True)


def out(json_path: str | None) -> Console:
    """Return where tables go: standard output, or standard error when that carries JSON."""
    errors = json_path == "-"
    stream = sys.stderr if errors else sys.stdout
    # into a file or a pipe a table is written whole, whatever width the terminal of the caller has
    return Console(stderr=errors, width=None if stream.isatty() else WIDTH)


def row(table: Table, *cells: str, style: str | None = None) -> None:
    """Add a row of plain texts: what was remembered may look like markup and is none."""
    table.add_row(*(Text(cell) for cell in cells), style=style)


def write_json(value: Any, path: str | None) -> None:
    """Write one JSON object to a file or, for `-`, to standard output; nothing for None."""
    if path is None:
        return
    text = value if isinstance(value, str) else json.dumps(value, indent=1, ensure_ascii=False)
    if path == "-":
        sys.stdout.write(text + "\n")
        return
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text + "\n", encoding="utf-8")


def settings(pairs: list[str] | None, **options: Any) -> dict[str, Any]:
    """Return `--set` pairs as nested settings, together with the options that have one of their own.

    Raises:
        UsageError: A pair is none, names no setting, or says again what an option says.

    >>> settings(["policy.beta=0.1", "planner=plan"], seed=3, model=None)
    {'policy': {'beta': 0.1}, 'planner': 'plan', 'seed': 3}
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
        inner[last] = _value(value)
    given = {name: value for name, value in options.items() if value is not None}
    if twice := sorted(given.keys() & found.keys()):
        raise UsageError(f"{twice[0]!r} is given twice: as an option and with --set")
    return found | given


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
