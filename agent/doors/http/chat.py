"""`/v1/chat/completions`, `/v1/models`, `/v1/feedback`, `/v1/approve`: the agent as a chat model."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, Literal

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from ....envs.errors import UnknownName
from ....memory.ledger.errors import UnknownCase
from ....memory.store.verdicts import judged
from ...asking.answer import Answer, AnswerGiven, AskEvent
from ...asking.answering import HasEnded
from ...asking.conversation import said_in
from ...asking.spending import cost_so_far
from ...asking.telling import Told
from ...streams import streamed
from .callers import Asking, Editing, Served, TheAgent, started
from .chat_answer import Completion, completion, pieces
from .chat_wire import ChatRequest, Going, Wanted, wanted

router = APIRouter(tags=["chat"])
_SSE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}
}


class ServedModel(BaseModel):
    """A model."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "lichen"


class ServedModels(BaseModel):
    """All of them: the agent."""

    object: Literal["list"] = "list"
    data: list[ServedModel]


class VerdictSaid(BaseModel):
    """How an answer was: one of `good`, `score` and `correct`."""

    id: str = Field(min_length=1)
    """Of the answer, or of what `recall` opened."""
    good: bool | None = None
    score: float | None = Field(default=None, ge=0, le=1)
    correct: str = ""
    """What it should have been."""
    note: str = ""


class VerdictTaken(BaseModel):
    """It is in the ledger."""

    id: str
    taken: Literal[True] = True


class ApprovalSaid(BaseModel):
    """A person's word on a call that an answer waits for."""

    id: str = Field(min_length=1)
    approved: bool = True
    note: str = ""


@router.get("/v1/models")
async def models(served: TheAgent, key: Asking) -> ServedModels:
    """List the models that can be asked: the agent."""
    return ServedModels(data=[ServedModel(id=served.name)])


@router.get("/v1/models/{name}")
async def model(name: str, served: TheAgent, key: Asking) -> ServedModel:
    """Return one model."""
    _known(name, served)
    return ServedModel(id=served.name)


@router.post("/v1/chat/completions", response_model=Completion, responses=_SSE)
async def chat(body: ChatRequest, served: TheAgent, key: Asking) -> Any:
    """Answer the last message of a conversation; the answer's id takes feedback.

    Tools of the request are the client's to call: the calls come back, and the next request brings their
    answers. Without any the agent uses its own.
    """
    _known(body.model, served)
    namespace = key.bounded(body.user or "")
    asked = wanted(body)
    going = await _goes_on(asked, namespace, served)
    if not body.stream:
        answer = await _answered(asked, going, namespace, served, None)
        return completion(answer, body.model, asked.names)
    events = _events(asked, going, namespace, served)
    first = await anext(events)  # what goes wrong before anything is said has a status of its own
    told = pieces(
        _from(first, events),
        body.model,
        asked.names,
        answer=going.episode if going is not None else "",
        usage=body.stream_options is not None and body.stream_options.include_usage,
    )
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    return StreamingResponse(told, media_type="text/event-stream", headers=headers)


@router.post("/v1/feedback")
async def feedback(body: VerdictSaid, served: TheAgent, key: Asking) -> VerdictTaken:
    """Say how an answer was; it is learned from now. What was taken is not lost, whatever comes after."""
    store = served.agent.store

    def write() -> None:
        started(store, body.id, key)
        said = {"good": body.good, "score": body.score, "correct": body.correct, "note": body.note}
        judged(store, body.id, **said, actor=key.name)  # type: ignore[arg-type]

    await served.on_loop(write)
    return VerdictTaken(id=body.id)


@router.post("/v1/approve")
async def approve(body: ApprovalSaid, served: TheAgent, key: Editing) -> Completion:
    """Say whether the call that an answer waits for may be made; the request goes on."""
    await served.on_loop(lambda: started(served.agent.store, body.id, key))
    answer = await served.agent.aapprove(body.id, body.approved, note=body.note)
    return completion(answer, served.name, {})


def _known(name: str, served: Served) -> None:
    if name != served.name:
        raise UnknownName("model", name[:100], [served.name])


async def _goes_on(asked: Wanted, namespace: str, served: Served) -> Going | None:
    """Return the answer of a call that a request waits for; None where nobody waits for it.

    A call of the agent's own waits for `approve`, and for no answer of a client's.
    """
    going = asked.going
    if going is None:
        return None
    try:
        asks = served.agent.inside.asks
        began = await served.on_loop(lambda: asks.begun(going.episode))
    except UnknownCase:
        return None
    return going if began.namespace == namespace and asks.waits_for_client(began) else None


async def _answered(
    asked: Wanted, going: Going | None, namespace: str, served: Served, tell: Told | None
) -> Answer:
    return await served.agent.inside.opened.loop.wait(_asked(asked, going, namespace, served, tell))


async def _asked(
    asked: Wanted, going: Going | None, namespace: str, served: Served, tell: Told | None
) -> Answer:
    asks = served.agent.inside.asks
    if going is not None and asked.around.tools is not None:
        try:
            return await asks.resume(going.episode, going.said, around=asked.around, tell=tell)
        except HasEnded:  # a request that was repeated, or an outage: what is known is told again
            said = said_in(served.agent.store.ledger, going.episode)
            if said is not None:
                cost = cost_so_far(served.agent.store, said.episode)
                again = Answer(id=said.episode, text=said.answered, namespace=namespace, cost=cost)
                if tell is not None:
                    tell(AnswerGiven(answer=again))
                return again
    return await asks.ask(asked.text, namespace=namespace, around=asked.around, tell=tell)


async def _events(
    asked: Wanted, going: Going | None, namespace: str, served: Served
) -> AsyncIterator[AskEvent]:
    async def work(tell: Told) -> Answer:
        return await _asked(asked, going, namespace, served, tell)

    events: AsyncIterator[AskEvent] = streamed(served.agent.inside.opened.loop, work)
    async with aclosing(events) as told:  # type: ignore[type-var]
        async for event in told:
            yield event


async def _from(first: AskEvent, rest: AsyncIterator[AskEvent]) -> AsyncIterator[AskEvent]:
    async with aclosing(rest) as told:  # type: ignore[type-var]
        yield first
        async for event in told:
            yield event
