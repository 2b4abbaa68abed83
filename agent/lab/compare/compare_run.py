"""The comparison itself: task by task, every arm meets the task and then learns from what came of it.

It can be interrupted at any moment and goes on with the same call: rows tell what was met, a file of each arm
what it had learned by then.
"""

import json
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from ....envs.errors import UsageError
from ....memory.ledger.content_id import content_id
from ....memory.ledger.whole_file import whole
from ....memory.store.demonstrations import Demonstration, from_gold, import_demonstrations
from ...config import AgentConfig
from ...episode.graph import Graph
from ...episode.run_episode import EpisodeResult, run_episode
from ...llm.protocol import Usage
from ...open_agent import OpenAgent
from ...prompts.rendering import prompt_hash
from ...runs import known_result
from ..kernel.reports import begin_anew
from ..kernel.rows import RowFile
from ..rivals.trace import EpisodeTrace, trace_of
from .compare_report import CompareReport, summarise
from .contender import Contender
from .contestants import ArmEntry, Opening, open_contender
from .stream_row import StreamRow
from .task_stream import StreamItem, StreamSize, TaskStream, load_stream

ROWS = "rows.jsonl"
Gold = Callable[[], Sequence[Demonstration]]
"""Gives the demonstrations; gold agents of some environments take another way each time they are asked."""
Met = Callable[[int, int, StreamRow], None]
"""Told of every row: how many there are, of how many, the new one."""


def compare(
    config: AgentConfig,
    stream: str,
    size: StreamSize,
    entries: Sequence[ArmEntry],
    met: Met | None = None,
) -> CompareReport:
    """Run (or go on with) a comparison in the folder `config.store` and return its report.

    Args:
        config: Settings of every arm.
        stream: Name of a suite, or the path of one.
        size: How much of it.
        entries: The arms, in order.
        met: Told of every row.

    Raises:
        FingerprintChanged: The model was not the same afterwards.
        EnvironmentFault: An episode kept ending as unknown.
        UsageError: The folder holds another comparison.
    """
    _claim(config.store)
    with OpenAgent(config) as host:
        return host.wait(_compare(host, stream, size, entries, met))


async def _compare(
    host: OpenAgent, name: str, size: StreamSize, entries: Sequence[ArmEntry], met: Met | None
) -> CompareReport:
    clock = time.monotonic()
    asks = any(entry.asks for entry in entries)
    stream = load_stream(name, size, host.environment)
    environment = host.environment(stream.suite)
    before = await host.fingerprint(asks)
    folder = host.config.store
    identity = _identity(host.config, stream, before)
    rows = RowFile(folder / ROWS, identity, StreamRow.model_validate_json)
    opening = Opening(
        host.config,
        folder,
        host.llm if asks else None,
        environment,
        before,
        host.store.embedder.encode,
    )
    run = content_id("compare", json.dumps(identity, sort_keys=True))
    host.opened(run, host.started("compare", stream.name, before, identity))
    arms: list[Contender] = []
    try:
        gold = cache(lambda: tuple(from_gold(environment, stream.shown)))  # one for all arms
        for entry in entries:
            arms.append(open_contender(entry, opening))
            await _begin(arms[-1], stream, run, folder, gold)
        async with host.graph() as graph:
            for item in stream.items:
                for arm in arms:
                    if (arm.name, item.number) in rows.rows:
                        continue
                    row = await _meet(host, graph, arm, item, run, folder)
                    rows.add(row)
                    if met is not None:
                        met(len(rows.rows), len(stream.items) * len(arms), row)
    finally:
        for arm in arms:
            arm.close()
    after = await host.closed(run, before, len(rows.rows))
    return summarise(
        stream,
        entries,
        {arm.name: arm.says for arm in arms},
        list(rows.rows.values()),
        model=host.config.model if asks else "no model",
        seed=host.config.seed,
        measure=environment.measure,
        fingerprint=(before, after),
        split=size.split,
        seconds=time.monotonic() - clock,
    )


def _identity(config: AgentConfig, stream: TaskStream, fingerprint: str) -> dict[str, Any]:
    return {
        "stream": stream.model_dump(mode="json"),
        "llm": fingerprint,
        "prompts": prompt_hash(),
        "settings": config.model_dump(mode="json", exclude={"store", "prices"}),
    }


async def _begin(arm: Contender, stream: TaskStream, run: str, folder: Path, gold: Gold) -> None:
    """Show an arm the demonstrations, once, or bring it to where it was."""
    state = _state_file(folder, arm.name)
    held = json.loads(state.read_text(encoding="utf-8")) if state.exists() else None
    if held is None:
        shown = _show(arm, stream, gold)
        for number, trace in enumerate(shown):
            item = StreamItem(number=number, task_id=trace.task_id, phase="shown")
            await arm.learn(item, trace)
        _keep(folder, arm, learned=0, spent=Usage())
    else:
        arm.restore(held["state"])
    await arm.begin(run)


def _show(arm: Contender, stream: TaskStream, gold: Gold) -> list[EpisodeTrace]:
    store = arm.agent.store
    known = {case.task_id: case for case in store.episodes.values()}
    left = [one for one in gold() if one.task_id not in known]
    for case in import_demonstrations(store, left, run="gold"):
        known[case.task_id] = case
    store.settle()
    return [trace_of(store.ledger.read(episode=known[task].episode)) for task in stream.shown]


async def _meet(
    host: OpenAgent, graph: Graph, arm: Contender, item: StreamItem, run: str, folder: Path
) -> StreamRow:
    """Have an arm meet a task and learn from it."""
    ledger = arm.agent.store.ledger
    used, clock = host.usage.copy(), time.monotonic()

    async def played(episode: str) -> EpisodeResult:
        return await run_episode(graph, await arm.parts(item), episode=episode, run=run)

    name, what = f"{run}-{arm.name}-{item.number:04d}", f"{arm.name} at {item.task_id}"
    result = await known_result(ledger, name, played, what=what)
    spent, took = host.usage.minus(used), time.monotonic() - clock
    held = json.loads(_state_file(folder, arm.name).read_text(encoding="utf-8"))
    learning = Usage(**held["spent"])
    if held["learned"] <= item.number:  # a kill may have come between learning and the row
        used, clock = host.usage.copy(), time.monotonic()
        await arm.learn(item, trace_of(ledger.read(episode=result.episode)))
        learning = host.usage.minus(used)
        learning.seconds = time.monotonic() - clock
        _keep(folder, arm, learned=item.number + 1, spent=learning)
    return StreamRow(
        arm=arm.name,
        number=item.number,
        phase=item.phase,
        task_id=item.task_id,
        family=result.family,
        learns=item.learns,
        outcome=result.outcome,
        score=result.score,
        steps=result.steps,
        tokens_in=spent.tokens_in,
        cached=spent.cached,
        tokens_out=spent.tokens_out,
        seconds=round(took, 3),
        learning_in=learning.tokens_in,
        learning_out=learning.tokens_out,
        learning_seconds=round(learning.seconds, 3),
    )


def _claim(folder: Path) -> None:
    """Mark a folder as a comparison's before anything is written there, so that `--fresh` knows it.

    Raises:
        UsageError: It holds something else.
    """
    sign = folder / ROWS
    if not sign.exists() and (folder / "ledger.sqlite").exists():
        raise UsageError(
            f"{folder} holds a memory, and a comparison needs a folder of its own",
            hint="Name another one with --store.",
        )
    folder.mkdir(parents=True, exist_ok=True)
    sign.touch()


def _state_file(folder: Path, name: str) -> Path:
    return folder / "arms" / f"{name}.json"


def _keep(folder: Path, arm: Contender, *, learned: int, spent: Usage) -> None:
    """Write down what an arm had learned after so many tasks of the stream."""
    held = {"learned": learned, "spent": vars(spent), "state": arm.state()}
    text = json.dumps(held, ensure_ascii=False)
    path = _state_file(folder, arm.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    whole(path, lambda p: p.write_text(text, encoding="utf-8"))


def forget_comparison(folder: Path) -> None:
    """Remove an earlier comparison with its stores; see `begin_anew`."""
    made = (ROWS, "report.json", "compare.png", "arms")
    stored = ("ledger.sqlite*", "checkpoints.*", "index", "index.broken-*", "owner")
    begin_anew(folder, sign=ROWS, made=(*made, *stored), what="comparison")
