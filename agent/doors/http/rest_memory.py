"""`/v1/memory`: cases, and memory alone for agents of other programs: recall, remember, feedback, forget."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from ....envs.errors import UsageError
from ....envs.types import Outcome
from ....memory.forgetting.forget import Forgetting
from ....memory.ledger.errors import UnknownCase
from ....memory.ledger.namespaces import layers, may_look
from ....memory.ledger.records import Case, EpisodeCase, StepCase, SubtaskCase, Trust
from ....memory.memory import Memory
from ....memory.store.store import Store
from ....memory.told.foreign_step import ForeignStep
from ....memory.told.reminder import Reminder
from .callers import Asking, Editing, Reading, Served, TheAgent, started

router = APIRouter(prefix="/v1/memory", tags=["memory"])
Grain = Literal["episodes", "steps", "subtasks"]
_WORDS = Field(min_length=1, max_length=200, pattern=r"^[\w.-]+$")


class CaseRow(BaseModel):
    """A case in a few words."""

    id: str
    episode: str
    env: str
    namespace: str
    trust: Trust
    text: str
    """What was asked, or done."""
    outcome: Outcome | None
    """None of a step."""
    score: float | None
    """Of an episode; the gain of a step."""


class CaseList(BaseModel):
    """Cases, the last remembered first."""

    cases: list[CaseRow]
    total: int


class RecallRequest(BaseModel):
    """A situation of which something may be remembered."""

    situation: str = Field(min_length=1)
    namespace: str = ""
    thread: str = ""
    kind: Annotated[str, _WORDS] = "memory"
    """Of work: what is remembered of one is not recalled for another; `requests`: the agent's own answers."""
    k: int = Field(default=4, ge=1, le=50)
    tokens: int = Field(default=1500, ge=1, le=100_000)


class RememberRequest(BaseModel):
    """What was done: for what `recall` opened, or for a situation in words."""

    id: str = ""
    """Of what `recall` returned."""
    situation: str = ""
    """Where nothing was recalled."""
    steps: list[ForeignStep] = Field(min_length=1, max_length=1000)
    outcome: Outcome = "unknown"
    score: float | None = Field(default=None, ge=0, le=1)
    namespace: str = ""
    thread: str = ""
    kind: Annotated[str, _WORDS] = "memory"


class RememberedAs(BaseModel):
    """It is in the ledger; feedback goes to this id."""

    id: str


class ForgetRequest(BaseModel):
    """An episode that is to be forgotten with all that came of it."""

    id: str = Field(min_length=1)
    cascade: bool = False
    """Also when other things depend on it."""
    reason: str = ""


@router.get("/cases")
async def cases(
    served: TheAgent,
    key: Reading,
    grain: Grain = "episodes",
    namespace: str = "",
    most: Annotated[int, Query(ge=1, le=500)] = 50,
    skip: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> CaseList:
    """List what a namespace sees: its own cases, and those of the layers around it."""
    seen = layers(key.bounded(namespace))
    store = served.agent.store

    def found() -> CaseList:
        held = [c for c in _held(store, grain) if c.namespace in seen]
        held.sort(key=lambda case: -case.rank)
        return CaseList(
            cases=[_row(store, case) for case in held[skip : skip + most]], total=len(held)
        )

    return await served.on_loop(found)


@router.get("/cases/{case}")
async def show_case(
    case: str, served: TheAgent, key: Reading
) -> EpisodeCase | StepCase | SubtaskCase:
    """Return one case, whole."""
    store = served.agent.store

    def found() -> Case:
        held = store.case(case)
        if held is None or not may_look(key.namespace, held.namespace):
            raise UnknownCase(f"no case {case!r} is here", hint="Give the whole id.")
        return held

    return await served.on_loop(found)


@router.post("/recall")
async def recall(body: RecallRequest, served: TheAgent, key: Asking) -> Reminder:
    """Return what is remembered of situations like this one; what is done now is remembered under its id."""
    namespace = key.bounded(body.namespace)
    memory = _memory(served, body.kind)
    return await served.on_loop(
        lambda: memory.recall(
            body.situation, k=body.k, namespace=namespace, thread=body.thread, tokens=body.tokens
        )
    )


@router.post("/remember")
async def remember(body: RememberRequest, served: TheAgent, key: Asking) -> RememberedAs:
    """Write down what was done; a known outcome is learned from at once."""
    if bool(body.id) == bool(body.situation.strip()):
        raise UsageError("give `id`, of what was recalled, or `situation`, and not both")
    namespace = key.bounded(body.namespace)
    store, memory = served.agent.store, _memory(served, body.kind)

    def write() -> str:
        situation: Reminder | str = body.situation
        kind = memory
        if body.id:
            began = started(store, body.id, key)
            kind = _memory(served, began.env)
            situation = Reminder.of_episode(body.id, began)
        return kind.remember(
            situation,
            body.steps,
            outcome=body.outcome,
            score=body.score,
            namespace=namespace,
            thread=body.thread,
        )

    return RememberedAs(id=await served.on_loop(write))


@router.post("/forget")
async def forget(body: ForgetRequest, served: TheAgent, key: Editing) -> Forgetting:
    """Forget an episode for good, with all that came of it."""
    memory = _memory(served, "memory")

    def gone() -> Forgetting:
        started(memory.store, body.id, key)
        return memory.forget(body.id, cascade=body.cascade, reason=body.reason)

    return await served.on_loop(gone)


def _memory(served: Served, kind: str) -> Memory:
    agent = served.agent
    return Memory(agent.store, name=kind, config=agent.config.retriever, seed=agent.config.seed)


def _held(store: Store, grain: str) -> list[Case]:
    held: list[Case] = []
    if grain == "episodes":
        held += store.episodes.values()
    elif grain == "steps":
        held += store.steps.values()
    else:
        held += store.subtasks.values()
    return held


def _row(store: Store, case: Case) -> CaseRow:

    return CaseRow(
        id=case.id,
        episode=case.episode,
        env=case.env,
        namespace=case.namespace,
        trust=store.trust(case),
        text=case.action
        if isinstance(case, StepCase)
        else case.goal
        if isinstance(case, EpisodeCase)
        else case.text,
        outcome=None if isinstance(case, StepCase) else case.outcome,
        score=case.gain
        if isinstance(case, StepCase)
        else case.score
        if isinstance(case, EpisodeCase)
        else None,
    )
