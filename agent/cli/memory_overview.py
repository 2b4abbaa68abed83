"""`lichen memory overview` and `episodes`: what the first pages of the inspector show, for the terminal."""

import time
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from .options import DEFAULT, Json, Store, out, row, write_json


def overview(store: Store = None, json_path: Json = None) -> None:
    """Say whether it is learning: success over time and by family, what shown memory adds, what harms."""
    from ...memory.store.store import Store as Opened
    from ..doors.inspector.seen import learning
    from ..doors.inspector.seen.episode_log import EpisodeLog

    folder = store or DEFAULT
    with Opened(folder, read_only=True) as opened:
        gain, harmful = learning.gain(opened.fold.observed), learning.harmful(opened)
        held = len(opened.episodes)
    lines = EpisodeLog(folder).lines()
    time_, families = learning.over_time(lines), learning.by_family(lines)
    week = learning.this_week(lines, time.time())
    write_json(
        {
            "held": held,
            "over_time": [rate.model_dump() for rate in time_],
            "by_family": [rate.model_dump() for rate in families],
            "gain": gain.model_dump() if gain is not None else None,
            "harmful": [one.model_dump() for one in harmful],
            "this_week": week.model_dump(mode="json"),
        },
        json_path,
    )
    if json_path == "-":
        return
    console = out(json_path)
    for title, rates in (("over time, oldest first", time_), ("by family", families)):
        table = Table(title=f"success {title}")
        for name in ("", "episodes", "success", "95% interval"):
            table.add_column(name, justify="left" if not name else "right")
        for rate in rates:
            between = f"{rate.low:.0%} to {rate.high:.0%}"
            row(table, rate.name, str(rate.n), f"{rate.share:.0%}", between)
        console.print(table)
    if gain is None:
        console.print("Nothing was held out at random yet: what memory causes is not known.")
    else:
        console.print(
            f"Shown memory adds {gain.mean:+.2f} [{gain.low:+.2f}, {gain.high:+.2f}] to the score "
            f"({gain.episodes} episodes)."
        )
    for one in harmful:
        said = f"harms where it is shown: {one.episode} {one.uplift.mean:+.2f}: {one.goal}"
        console.print(said, markup=False)
    console.print(
        f"This week: {week.episodes} episodes, {week.successes} successes, {week.learned} learned, "
        f"{week.judged} judged by a person; {held} episodes are in memory."
    )


def episodes(
    store: Store = None,
    env: Annotated[str | None, typer.Option("--env", help="Only this environment.")] = None,
    most: Annotated[int, typer.Option("--most", min=0, help="Rows to show; 0 for all.")] = 50,
    json_path: Json = None,
) -> None:
    """List all episodes of the ledger, newest first, also those that are no cases: open, unknown, evaluated."""
    from ...memory.ledger.ledger import open_ledger
    from ..doors.inspector.seen.episode_log import EpisodeLog

    folder = store or DEFAULT
    open_ledger(folder)  # says it where there is no store
    found = [line for line in reversed(EpisodeLog(folder).lines()) if env in (None, line.env)]
    shown = found[: most or None]
    write_json({"episodes": [asdict(line) for line in shown], "total": len(found)}, json_path)
    if json_path == "-":
        return
    table = Table(title=f"{len(found)} episodes" + (f", {len(shown)} shown" * (shown != found)))
    for name in ("id", "when", "outcome", "score", "steps", "env", "goal"):
        table.add_column(name, no_wrap=name != "goal")
    for line in shown:
        row(
            table,
            line.id,
            datetime.fromtimestamp(line.at).isoformat(" ", "minutes"),
            "waits" if line.waits else line.outcome or "open",
            "" if line.score is None else f"{line.score:.2f}",
            str(line.steps or ""),
            line.env,
            line.goal,
        )
    out(json_path).print(table)
