"""Episodes of an evaluation as logs of inspect_ai, so that `inspect view` shows them beside other agents'.

By its public `write_eval_log`: one `.eval` file for each arm and checkpoint.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ....envs.errors import MissingExtra
from ....memory.ledger.content_id import content_id
from ....memory.ledger.events import EpisodeStarted, Stepped
from ....memory.ledger.ledger import Ledger, LedgerRow
from .episode_row import EpisodeRow
from .heldout_report import Report

_LETTER = {"success": "C", "failure": "I", "unknown": "N"}
"""Inspect's values: correct, incorrect, no answer."""


class _Whole:
    """An episode, as far as it was read."""

    def __init__(self, goal: str = "") -> None:
        self.goal = goal
        self.steps: list[Stepped] = []


def write_inspect_logs(
    report: Report, rows: Sequence[EpisodeRow], ledger: Ledger, to: Path
) -> list[Path]:
    """Write the logs and return their files.

    Args:
        report: Of the evaluation.
        rows: Its episodes.
        ledger: Where the steps of the episodes stand.
        to: Folder; made when it is not there.

    Raises:
        MissingExtra: inspect_ai is not installed.
    """
    try:
        from inspect_ai.log import write_eval_log
    except ImportError as error:
        raise MissingExtra("--inspect-log", "inspect", "inspect_ai") from error
    to.mkdir(parents=True, exist_ok=True)
    episodes = _episodes(ledger)
    written = []
    for arm in report.arms:
        for point in sorted({row.checkpoint for row in rows if row.arm == arm}):
            part = [row for row in rows if (row.arm, row.checkpoint) == (arm, point)]
            file = to / f"{report.suite}-{arm}-{point}.eval"
            write_eval_log(_log(report, arm, point, part, episodes), str(file))
            written.append(file)
    return written


def _log(
    report: Report, arm: str, point: int, rows: Sequence[EpisodeRow], episodes: dict[str, _Whole]
) -> Any:
    from inspect_ai.log import (
        EvalConfig,
        EvalDataset,
        EvalLog,
        EvalMetric,
        EvalResults,
        EvalScore,
        EvalSpec,
        EvalStats,
    )

    cell = report.arms[arm][point]
    now = datetime.now(UTC).isoformat(timespec="seconds")
    scores = [
        EvalScore(
            name=name,
            scorer=name,
            scored_samples=cell.n,
            unscored_samples=cell.unknown,
            metrics={"mean": EvalMetric(name="mean", value=value, metadata={"ci95": list(ci95)})},
        )
        for name, value, ci95 in (
            ("success", cell.success, cell.ci95),
            ("score", cell.score, cell.score_ci95),
        )
    ]
    named = content_id(report.suite, arm, str(point), report.model, str(report.seed))
    return EvalLog(
        status="success",
        eval=EvalSpec(
            eval_id=named,
            run_id=named,
            task_id=named,
            created=now,
            task=f"lichen/{report.suite}",
            model=f"lichen/{report.model}",
            solver=f"{arm} with {point} learned episodes",
            dataset=EvalDataset(name=report.suite, samples=len(rows), sample_ids=_ids(rows)),
            config=EvalConfig(epochs=1),
            tags=[arm, f"memory {point}"],
            metadata={"arm": arm, "learned": point, "split": report.split, "seed": report.seed},
        ),
        results=EvalResults(total_samples=len(rows), completed_samples=cell.n, scores=scores),
        stats=EvalStats(started_at=now, completed_at=now),
        samples=list(_samples(report, arm, point, rows, episodes)),
    )


def _ids(rows: Sequence[EpisodeRow]) -> list[str | int]:
    return [row.task_id for row in rows]


def _samples(
    report: Report, arm: str, point: int, rows: Sequence[EpisodeRow], episodes: dict[str, _Whole]
) -> Iterator[Any]:
    from inspect_ai.log import EvalSample
    from inspect_ai.model import ModelOutput, ModelUsage
    from inspect_ai.scorer import Score

    for row in rows:
        task = content_id(row.task_id)
        whole = episodes.get(f"{arm}-{point}-{task}") or episodes.get(f"none-0-{task}") or _Whole()
        messages = list(_messages(whole))
        last = whole.steps[-1] if whole.steps else None
        usage = ModelUsage(
            input_tokens=row.tokens_in,
            output_tokens=row.tokens_out,
            total_tokens=row.tokens_in + row.tokens_out,
            input_tokens_cache_read=row.cached,
        )
        yield EvalSample(
            id=row.task_id,
            epoch=1,
            input=whole.goal or row.task_id,
            target="success",
            messages=messages,
            output=ModelOutput.from_content(report.model, last.action if last else ""),
            scores={
                "success": Score(value=_LETTER[row.outcome], explanation=row.reason or None),
                "score": Score(value=row.score),
            },
            metadata={"family": row.family, "steps": row.steps, "kl": row.kl},
            model_usage={report.model: usage},
            total_time=row.seconds,
        )


def _messages(whole: _Whole) -> Iterator[Any]:
    from inspect_ai.model import ChatMessageAssistant, ChatMessageTool, ChatMessageUser
    from inspect_ai.tool import ToolCall, ToolCallError

    seen = f"\n\n{whole.steps[0].text}" if whole.steps else ""
    yield ChatMessageUser(content=f"{whole.goal}{seen}")
    for step in whole.steps:
        id = f"step-{step.step}"
        tool = step.call.tool if step.call is not None else "act"
        arguments = dict(step.call.arguments) if step.call is not None else {"action": step.action}
        yield ChatMessageAssistant(
            content="", tool_calls=[ToolCall(id=id, function=tool, arguments=arguments)]
        )
        yield ChatMessageTool(
            content=step.observation,
            tool_call_id=id,
            function=tool,
            error=ToolCallError("unknown", step.error) if step.error else None,
        )


def _episodes(ledger: Ledger) -> dict[str, _Whole]:
    """Return the episodes of evaluations by `ARM-CHECKPOINT-TASK`, the last attempt of each."""
    found: dict[str, _Whole] = {}
    open_: dict[str, _Whole] = {}
    row: LedgerRow
    for row in ledger.read(types=("episode_started", "stepped")):
        match row.event:
            case EpisodeStarted():
                cell = row.episode.partition("-")[2]
                key = _without_attempt(cell, content_id(row.event.task_id))
                if key:
                    found[key] = open_[row.episode] = _Whole(row.event.goal)
            case Stepped() if row.episode in open_:
                open_[row.episode].steps.append(row.event)
    return found


def _without_attempt(cell: str, task: str) -> str:
    before, mark, _ = cell.partition(task)
    return f"{before}{task}" if mark and before else ""
