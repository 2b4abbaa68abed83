"""`lichen certify RUN`: frozen means frozen, checked on what a run left."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from ....envs.errors import BadFile, UsageError
from ...cli.options import Json, Model, Store, out, progress_console, row, write_json

if TYPE_CHECKING:
    from pydantic import BaseModel

    from ....memory.ledger.ledger import Ledger
    from ...config import AgentConfig
    from ..certificate.certificate import Certificate, Claim, RunRead
    from ..heldout.episode_row import EpisodeRow

STYLES = {"holds": "green", "does not hold": "bold red", "not measured": "yellow"}


def certify_command(
    run: Annotated[
        str,
        typer.Argument(
            help="Folder of a `lichen eval` or `lichen continual`, or a run's id in --store."
        ),
    ],
    store: Store = None,
    projection: Annotated[
        list[Path] | None,
        typer.Option(
            "--projection",
            help="Folder of a trained projection, besides those in STORE/softcot; repeatable.",
        ),
    ] = None,
    assistant: Annotated[
        str | None,
        typer.Option("--assistant", help="Small model of projections. [default: as they name it]"),
    ] = None,
    tolerance: Annotated[
        float,
        typer.Option("--tolerance", min=0, max=1, help="Share of negative flips that is none."),
    ] = 0.01,
    model: Model = None,
    json_path: Json = None,
) -> None:
    """Check that a run's model stayed frozen and that its memory leaves other tasks alone.

    The run's own settings are used (--model names the same model in another place). Writes certificate.json
    into the folder of the run, or to --json. Exit status 1 when something does not hold; what could not be
    measured is said, with the reason. Nothing is learned; an interrupted check begins anew.
    """
    from ..bench.machine import machine, version
    from ..certificate.certificate import Certificate

    folder = Path(run)
    if (folder / "continual.json").exists():
        where, (name, suite, asked, lines) = folder, _stream(folder, model, tolerance)
        command = "continual"
    else:
        if (folder / "rows.jsonl").exists():
            where, found = folder, _evaluation(folder)
        else:
            where, found = store or Path(".lichen"), _by_id(run, store or Path(".lichen"))
        lines = _lines(where, found, projection or [], assistant, tolerance, model)
        name, command, suite = found.id, found.started.command, found.started.suite
        asked = model or str(found.started.config.get("model", ""))
    made = Certificate(
        run=name,
        command=command,
        suite=suite,
        model=asked,
        lines=tuple(lines),
        version=version(),
        machine=machine(),
        time=datetime.now(UTC).isoformat(timespec="seconds"),
    ).sealed()
    console = out(json_path)
    console.print(lines_table(made))
    missing = sum(line.state == "not measured" for line in made.lines)
    said = "holds" if made.holds else "DOES NOT HOLD"
    if missing:
        said += f"; {missing} of {len(made.lines)} claims were not measured"
    console.print(f"[bold]certificate of {name}: {said}[/bold]", highlight=False)
    file = "certificate.json" if where == folder else f"certificate-{name}.json"
    path = json_path or str(where / file)
    write_json(made.model_dump_json(indent=1), path)
    console.print(f"{path}, sha256 {made.sha256[:16]}", highlight=False, soft_wrap=True)
    if not made.holds:
        raise typer.Exit(1)


def _stream(
    folder: Path, model: str | None, tolerance: float
) -> "tuple[str, str, str, list[Claim]]":
    """Return the name, stream, model and claims of a finished `lichen continual`."""
    from pydantic import ValidationError

    from ...llm.frozen import open_frozen
    from ..continual.stream_certificate import lines
    from ..continual.stream_report import ContinualReport

    try:
        text = (folder / "report.json").read_text(encoding="utf-8")
        report = ContinualReport.model_validate_json(text)
    except FileNotFoundError as error:
        raise BadFile(
            f"the stream in {folder} did not come to its end", hint="The same command continues it."
        ) from error
    except (ValidationError, UnicodeDecodeError) as error:
        raise BadFile(f"{folder / 'report.json'} is not a report of a stream") from error
    asked = model or report.model
    with progress_console.status("hashing the model"):
        now = open_frozen(asked).identity().weights
    return folder.name, report.stream, asked, lines(report, now, tolerance=tolerance)


def lines_table(certificate: "Certificate") -> Table:
    """Return a certificate's claims as a table."""
    table = Table(title=f"{certificate.suite} ({certificate.command}), {certificate.model}")
    for name in ("claim", "state", "found"):
        table.add_column(name, overflow="fold", min_width=13 if name == "state" else None)
    for line in certificate.lines:
        row(table, line.claim, line.state, line.says, style=STYLES[line.state])
    return table


def _lines(
    where: Path,
    run: "RunRead",
    extra: list[Path],
    assistant: str | None,
    tolerance: float,
    model: str | None,
) -> "list[Claim]":
    from ...llm.frozen import Frozen, open_frozen
    from ...open_agent import OpenAgent
    from ...softcot.checkpoint import CARD
    from ...softcot.places import ASIDE, PREVIOUS
    from ..certificate.backward_transfer import scored
    from ..certificate.certificate import forgetting, leakage, projections, silent_memory, weights

    base = _config(where, run, model)
    cards = sorted((where / "softcot").glob(f"*/{CARD}"))
    folders = [path.parent for path in cards if path.parent.name not in (PREVIOUS, ASIDE)]
    folders += [path for path in extra if path not in folders]
    opened: dict[str, Frozen] = {}

    def open_model(name: str) -> Frozen:
        if name not in opened:
            opened[name] = open_frozen(name, base.local)
        return opened[name]

    steps: list[Callable[[], list[Claim]]] = []
    with (
        progress_console.status("opening the run's memory") as status,
        OpenAgent(base) as agent,
    ):
        env = _environment(agent.store.steps.values(), run)
        asked = bool(run.started.fingerprint)
        steps = [
            lambda: [weights(run, agent.wait(agent.fingerprint(asked)))],
            lambda: [projections(folders, base.model, open_model, assistant)],
            lambda: [agent.wait(silent_memory(agent, env))],
            lambda: [agent.wait(leakage(agent, env))],
            lambda: forgetting(scored(run.rows), seed=base.seed, tolerance=tolerance),
        ]
        names = ("weights", "projections", "silence on anchors", "drift on anchors", "forgetting")
        lines: list[Claim] = []
        for name, step in zip(names, steps, strict=True):
            status.update(name)
            lines += step()
    return lines


def _config(where: Path, run: "RunRead", model: str | None) -> "AgentConfig":
    """Return the settings that the run had, with its store where it is now."""
    from ...config import AgentConfig, load_config

    said = run.started.config
    kept = _known(AgentConfig, {k: v for k, v in said.items() if k != "store"})
    return load_config(None, **{**kept, "store": where, **({"model": model} if model else {})})


def _known(model: "type[BaseModel]", said: dict[str, Any], path: str = "") -> dict[str, Any]:
    """Return recorded settings that there are still, those that were renamed under their names of now."""
    from pydantic import BaseModel

    from ...config import RENAMED

    found: dict[str, Any] = {}
    for name, value in said.items():
        now = RENAMED.get(f"{path}{name}", f"{path}{name}").removeprefix(path)
        field = model.model_fields.get(now)
        if field is None:
            continue
        kind: Any = field.annotation
        inner = isinstance(kind, type) and issubclass(kind, BaseModel) and isinstance(value, dict)
        found[now] = _known(kind, value, f"{path}{now}.") if inner else value
    return found


def _environment(steps: Any, run: "RunRead") -> str:
    """Return the environment that anchors pose as tasks of: the one that memory knows most of."""
    from collections import Counter

    held = Counter(case.env for case in steps)
    suite = run.started.config.get("suite")
    named = suite.get("env") if isinstance(suite, dict) else None
    return str(named or (held.most_common(1)[0][0] if held else "anchors"))


def _evaluation(folder: Path) -> "RunRead":
    from ....memory.ledger.ledger import open_ledger
    from ..certificate.certificate import RunRead
    from ..heldout.episode_row import EpisodeRow

    path = folder / "rows.jsonl"
    try:
        head, *lines = path.read_text(encoding="utf-8").split("\n")
        identity = json.loads(head)["evaluation"]
        rows = _rows(lines, EpisodeRow)
    except (ValueError, KeyError, TypeError) as error:
        raise BadFile(
            f"{path} is damaged", hint="`lichen eval` says where, and how to go on."
        ) from error
    ledger = open_ledger(folder)
    runs = [run for run in _runs(ledger) if run.started.command == "eval"]
    same = [run for run in runs if all(run.started.config.get(k) == v for k, v in identity.items())]
    if not runs:
        raise UsageError(f"the ledger of {folder} holds no evaluation")
    return RunRead(*(same or runs)[-1][:3], rows)


def _rows(lines: list[str], kind: "type[EpisodeRow]") -> "tuple[EpisodeRow, ...]":
    """Return the rows of an evaluation; a last line that a kill tore is none."""
    whole = lines if not lines or not lines[-1] else lines[:-1]
    return tuple(kind.model_validate_json(line) for line in whole if line)


def _by_id(name: str, store: Path) -> "RunRead":
    from ....memory.ledger.ledger import open_ledger

    if Path(name).is_dir():
        raise UsageError(
            f"{name} holds no evaluation (there is no rows.jsonl in it)",
            hint="Name the folder of a `lichen eval`, or a run's id with --store.",
        )
    if not (store / "ledger.sqlite").exists():
        raise UsageError(
            f"there is neither a folder {name} nor a store in {store}",
            hint="Name the folder of a `lichen eval`, or a run's id with --store.",
        )
    held = _runs(open_ledger(store))
    found = [run for run in held if run.id == name] or [r for r in held if r.id.startswith(name)]
    if len(found) != 1:
        known = ", ".join(f"{run.id} ({run.started.command})" for run in held[-8:]) or "none"
        said = f"{len(found)} runs begin with" if found else "there is no run"
        raise UsageError(f"{said} {name!r} in {store}; its last runs: {known}")
    return found[0]


def _runs(ledger: "Ledger") -> "list[RunRead]":
    """Return all runs of a ledger in the order in which they began."""
    from ....memory.ledger.events import RunEnded, RunStarted
    from ..certificate.certificate import RunRead

    found: dict[str, RunRead] = {}
    for entry in ledger.read(episode=""):
        if isinstance(entry.event, RunStarted):
            found.setdefault(entry.run, RunRead(entry.run, entry.event, None))
        elif isinstance(entry.event, RunEnded) and entry.run in found:
            found[entry.run] = found[entry.run]._replace(ended=entry.event)
    return list(found.values())
