"""`/v1/episodes` and `/v1/runs`: what was done, newest first, from the ledger."""

from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, TypeVar

from fastapi import APIRouter, Query
from pydantic import BaseModel

from ....envs.types import Outcome
from ....memory.forgetting.why import Why, explain_all
from ....memory.ledger.events import (
    EpisodeEnded,
    EpisodeStarted,
    Event,
    RunEnded,
    RunStarted,
    Stepped,
)
from ....memory.ledger.feedback_event import Feedback
from ....memory.ledger.ledger import Ledger, LedgerRow
from ....memory.store.store import Store
from ...asking.answer import AnswerCost
from ...asking.conversation import said_in
from ...asking.spending import cost_so_far
from .callers import Reading, TheAgent, started
from .keys import Key

router = APIRouter(tags=["episodes"])
T = TypeVar("T")
_WINDOW = 2_000
"""Rows of the ledger that are read at once."""
_LAST = 2**53
_BEGUN, _RUNS = ("episode_started",), ("run_started", "run_ended")
"""Types of the rows that lists are made of: the others are not read."""
Before = Annotated[
    int | None, Query(ge=1, le=_LAST, description="Only what began before this number.")
]
Most = Annotated[int, Query(ge=1, le=500)]


class EpisodeBrief(BaseModel):
    """An episode, as it began."""

    id: str
    number: int
    """Of its beginning in the ledger."""
    at: float
    """Seconds since 1970."""
    goal: str
    env: str
    namespace: str
    thread: str


class EpisodeList(BaseModel):
    """Episodes, newest first; `before` of the next request is the last one's number."""

    episodes: list[EpisodeBrief]


class StepView(BaseModel):
    """What was done at a step, and what came back."""

    action: str
    answer: str
    error: str


class EpisodeView(EpisodeBrief):
    """An episode, whole."""

    outcome: Outcome | None
    """As it was said last; None: it has not ended."""
    score: float | None
    reason: str
    answer: str
    """What was answered, where it was a request."""
    steps: list[StepView]
    feedback: list[Feedback]
    cost: AnswerCost
    """Of all the times that it went on; 0 where nothing was noted."""


class RunRow(BaseModel):
    """A run: what a command began."""

    id: str
    number: int
    at: float
    command: str
    suite: str
    ended: bool


class RunList(BaseModel):
    """Runs, newest first."""

    runs: list[RunRow]


@router.get("/v1/episodes")
async def episodes(
    served: TheAgent,
    key: Reading,
    namespace: str = "",
    before: Before = None,
    most: Most = 50,
) -> EpisodeList:
    """List the episodes of a namespace and all below it, newest first; without one, of the key's."""
    inner = key.model_copy(update={"namespace": key.bounded(namespace)})

    def row_of(row: LedgerRow) -> EpisodeBrief | None:
        event = row.event
        if not isinstance(event, EpisodeStarted) or not inner.owns(event.namespace):
            return None
        return _row(row, event)

    ledger = served.agent.store.ledger
    found = await served.on_loop(lambda: _newest(ledger, _BEGUN, before, most, row_of))
    return EpisodeList(episodes=found)


@router.get("/v1/episodes/{episode}")
async def episode(episode: str, served: TheAgent, key: Reading) -> EpisodeView:
    """Return one episode with its steps, what was said of it, and what it cost."""
    return await served.on_loop(lambda: _view(served.agent.store, episode, key))


@router.get("/v1/episodes/{episode}/why")
async def why(episode: str, served: TheAgent, key: Reading) -> list[Why]:
    """Say of every step what memory had to say, what was shown, and what that is worth."""
    store = served.agent.store

    def told() -> list[Why]:
        started(store, episode, key)
        return list(explain_all(store, episode))

    return await served.on_loop(told)


@router.get("/v1/runs")
async def runs(served: TheAgent, key: Reading, before: Before = None, most: Most = 50) -> RunList:
    """List the runs, newest first."""
    ledger = served.agent.store.ledger
    ended: set[str] = set()

    def row_of(row: LedgerRow) -> RunRow | None:
        if isinstance(row.event, RunEnded):
            ended.add(row.run)
        if not isinstance(row.event, RunStarted):
            return None
        event = row.event
        return RunRow(
            id=row.run,
            number=row.seq,
            at=row.at,
            command=event.command,
            suite=event.suite,
            ended=row.run in ended,
        )

    return RunList(runs=await served.on_loop(lambda: _newest(ledger, _RUNS, before, most, row_of)))


def _newest(
    ledger: Ledger,
    types: Sequence[str],
    before: int | None,
    most: int,
    row_of: Callable[[LedgerRow], T | None],
) -> list[T]:
    """Return at most so many things that rows of these types are, newest first."""
    found: list[T] = []
    until = min(before - 1 if before is not None else _LAST, ledger.head())
    for row in _backwards(ledger, types, until):
        if (made := row_of(row)) is not None:
            found.append(made)
        if len(found) == most:
            break
    return found


def _backwards(ledger: Ledger, types: Sequence[str], until: int) -> Iterator[LedgerRow]:
    while until > 0:
        after = max(0, until - _WINDOW)
        yield from reversed(list(ledger.read(after=after, until=until, types=types)))
        until = after


def _row(row: LedgerRow, event: EpisodeStarted) -> EpisodeBrief:
    return EpisodeBrief(
        id=row.episode,
        number=row.seq,
        at=row.at,
        goal=event.goal,
        env=event.env,
        namespace=event.namespace,
        thread=event.thread,
    )


def _view(store: Store, name: str, key: Key) -> EpisodeView:
    started(store, name, key)
    rows = [row for row in store.rows_of(name) if row.event is not None]
    events: list[Event] = [row.event for row in rows if row.event is not None]
    first = next(row for row in rows if isinstance(row.event, EpisodeStarted))
    assert isinstance(first.event, EpisodeStarted)
    ended = next((event for event in events if isinstance(event, EpisodeEnded)), None)
    verdicts = [event for event in events if isinstance(event, Feedback)]
    outcome: Outcome | None = ended.outcome if ended is not None else None
    if verdicts:
        outcome = verdicts[-1].outcome
    said = said_in(store.ledger, name)
    return EpisodeView(
        **_row(first, first.event).model_dump(),
        outcome=outcome,
        score=verdicts[-1].score if verdicts else ended.score if ended is not None else None,
        reason=ended.reason if ended is not None else "",
        answer=said.answered if said is not None else "",
        steps=[
            StepView(action=event.action, answer=event.observation, error=event.error)
            for event in events
            if isinstance(event, Stepped)
        ],
        feedback=verdicts,
        cost=cost_so_far(store, name),
    )
