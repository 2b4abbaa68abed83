"""How past calls of a skill read in the terminal: what they cost, the last ones, and one replayed."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from .options import DEFAULT, row

if TYPE_CHECKING:
    from ...memory.credit.past_calls import CallCost, PastCall
    from ...memory.ledger.ledger import Ledger
    from ...skills.replay_call import Happened, Replayed


def ledger_in(store: Path | None) -> "Ledger | None":
    """Return the ledger of a store, to be read; None where there is none."""
    from ...memory.ledger.ledger import open_ledger

    folder = store or DEFAULT
    return open_ledger(folder) if (folder / "ledger.sqlite").exists() else None


def print_calls(
    console: Console, costs: "Sequence[CallCost]", shown: "Sequence[PastCall]", of: int
) -> None:
    """Print what calls cost, and the last of them.

    Args:
        console: Where to.
        costs: By version.
        shown: Newest first.
        of: How many there are.
    """
    for cost in costs:
        seconds = "time not measured" if cost.seconds is None else f"{cost.seconds:.3f} s"
        if cost.seconds is not None and cost.measured < cost.calls:
            seconds += f" (of {cost.measured})"
        console.print(
            f"cost of {cost.skill}, mean of {cost.calls} calls: {cost.steps:.1f} steps, {seconds}, "
            f"{cost.tokens:.0f} model tokens (in the jail no model can be asked)",
            highlight=False,
            markup=False,
        )
    if not shown:
        return
    table = Table(title=f"last {len(shown)} of {of} calls (lichen skills replay CALL)")
    for column in ("call", "when", "arguments", "outcome", "steps", "where"):
        table.add_column(
            column,
            justify="right" if column in ("call", "steps") else "left",
            no_wrap=column in ("call", "when"),
            overflow="fold",  # a task's id is to be copied whole
        )
    for call in shown:
        row(
            table,
            str(call.id),
            datetime.fromtimestamp(call.at).isoformat(" ", "minutes"),
            f"@{call.skill.rpartition('@')[2]} {_arguments(call)}",
            call.outcome + (f": {call.reason}" if call.reason else ""),
            str(call.steps),
            f"{call.task_id}, run {call.run}, jail {call.level or '-'}",
            style={"success": "green", "unknown": "yellow"}.get(call.outcome),
        )
    console.print(table)


def print_replayed(console: Console, replayed: "Replayed") -> None:
    """Print a call as it was and as it is, side by side."""
    call, then, now = replayed.call, replayed.then, replayed.now
    console.print(
        f"call {call.id}: {call.skill}({_arguments(call)}) in {call.task_id}, after {call.step} steps",
        markup=False,
        highlight=False,
    )
    table = Table()
    for column in ("", "then", "now"):
        table.add_column(column)
    was, found = _told(then), _told(now) if now is not None else {}
    for name in dict.fromkeys((*was, *found)):
        differs = now is not None and was.get(name) != found.get(name) and name != "jail"
        row(
            table,
            name,
            was.get(name, ""),
            found.get(name, "" if now is not None else "not run"),
            style="yellow" if differs else None,
        )
    console.print(table)
    for note in replayed.notes:
        console.print(note, style="yellow", markup=False)
    if now is not None:
        console.print("It came to the same." if replayed.same else "It came to something else.")


def _arguments(call: "PastCall") -> str:
    return ", ".join(f"{name}={value}" for name, value in call.arguments.items())


def _told(what: "Happened") -> dict[str, str]:
    found = {
        "skill": what.skill,
        "outcome": what.outcome + (f": {what.reason}" if what.reason else ""),
        "steps": str(len(what.actions)),
        "actions": "; ".join(what.actions),
        "jail": what.level or "-",
    }
    if what.changed is None:
        return found | {"changed": "not known"}
    if not what.changed:
        return found | {"changed": "no fact"}
    return found | {
        change.fact: f"{_fact(change.before)} -> {_fact(change.after)}" for change in what.changed
    }


def _fact(value: object) -> str:
    return "-" if value is None else str(value) or "nothing"
