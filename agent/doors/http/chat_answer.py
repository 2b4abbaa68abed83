"""Answers as OpenAI's clients read them: whole, or in pieces as server-sent events."""

import json
import re
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from ....envs.errors import LichenError
from ...asking.answer import Answer, AnswerGiven, AskEvent, CasesRecalled, TextDelta, ToolCalled
from .chat_wire import call_id
from .faults import fault_body, status_of

_HELD = re.compile(r"[\[{`<]|f(i(n(i(s(h(\(.*)?)?)?)?)?)?$", re.DOTALL)
"""Beginnings of what may be a call in words, and no answer: it is told when it is known what it is."""


class Completion(BaseModel):
    """An answer."""

    id: str
    """Takes feedback at `/v1/feedback`."""
    object: str
    created: int
    model: str
    choices: list[dict[str, Any]]
    usage: dict[str, Any]
    lichen: dict[str, Any]
    """Outcome, namespace, calls, cost, and what it waits for."""


def completion(answer: Answer, model: str, names: Mapping[str, str]) -> Completion:
    """Return a whole answer.

    Args:
        answer: Of the agent.
        model: As it was asked for.
        names: Name of a tool here -> as the client calls it.
    """
    calls = _calls(answer, names)
    message: dict[str, Any] = {"role": "assistant", "content": answer.text, "refusal": None}
    if calls:
        message |= {"content": None, "tool_calls": calls}
    return Completion(
        **_head(answer.id, model, "chat.completion"),
        choices=[
            {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(answer)}
        ],
        usage=_usage(answer),
        lichen=_more(answer),
    )


async def pieces(
    events: AsyncIterator[AskEvent],
    model: str,
    names: Mapping[str, str],
    *,
    answer: str = "",
    usage: bool = False,
) -> AsyncIterator[str]:
    """Yield an answer as server-sent events, while it is made.

    What the model says before it calls a tool of the agent's is told too.

    Args:
        events: Of the agent.
        answer: Its id, where that is known.
        model: As it was asked for.
        names: Name of a tool here -> as the client calls it.
        usage: Whether the last piece tells what was used.
    """
    words, began = _Words(), False
    try:
        async for event in events:
            if isinstance(event, CasesRecalled):
                answer = event.answer
            if isinstance(event, AnswerGiven):
                answer = event.answer.id
            if not began:
                began = True
                yield _piece(answer, model, {"role": "assistant", "content": ""})
            if isinstance(event, AnswerGiven):
                for piece in _end(event.answer, words, model, names, usage=usage):
                    yield piece
            elif isinstance(event, TextDelta) and (told := words.take(event.text)):
                yield _piece(answer, model, {"content": told})
            elif isinstance(event, ToolCalled):
                words.new_turn()
        yield "data: [DONE]\n\n"
    except LichenError as error:
        body = fault_body("/v1/chat", status_of(error), str(error), error.hint)
        yield f"data: {json.dumps(body)}\n\n"


class _Words:
    """The model's words, as far as they may be told."""

    def __init__(self) -> None:
        self._held = self._turn = ""
        self._before = False
        """Whether something was told in an earlier turn."""

    def take(self, text: str) -> str:
        """Return what may be told now."""
        self._held += text
        if not self._turn and (not self._held.strip() or _HELD.match(self._held.lstrip())):
            return ""
        told, self._held = self._held, ""
        gap = "\n\n" if self._before and not self._turn else ""
        self._turn += told
        return gap + told

    def new_turn(self) -> None:
        """Begin anew: what was held was a call."""
        self._before = self._before or bool(self._turn)
        self._held = self._turn = ""

    def rest(self, answer: str) -> str:
        """Return what is left to be told of the answer."""
        told = self._turn.lstrip()
        if answer.startswith(told.rstrip()):
            left = answer[len(told) :] if answer.startswith(told) else ""
            return ("\n\n" if self._before and not told else "") + left
        return f"\n\n{answer}"


def _end(
    answer: Answer, words: _Words, model: str, names: Mapping[str, str], *, usage: bool
) -> Iterator[str]:
    if calls := _calls(answer, names):
        told = [{"index": i, **call} for i, call in enumerate(calls)]
        yield _piece(answer.id, model, {"tool_calls": told})
    elif left := words.rest(answer.text):
        yield _piece(answer.id, model, {"content": left})
    yield _piece(answer.id, model, {}, _finish(answer), lichen=_more(answer))
    if usage:
        head = _head(answer.id, model, "chat.completion.chunk")
        yield f"data: {json.dumps({**head, 'choices': [], 'usage': _usage(answer)})}\n\n"


def _piece(
    name: str, model: str, delta: dict[str, Any], finish: str | None = None, **more: Any
) -> str:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    body = {**_head(name, model, "chat.completion.chunk"), "choices": [choice], **more}
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n"


def _head(name: str, model: str, kind: str) -> dict[str, Any]:
    return {"id": name, "object": kind, "created": int(time.time()), "model": model}


def _calls(answer: Answer, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the call that whoever asked is to make; none where there is none."""
    asked = answer.waiting
    if asked is None or not asked.outside:
        return []
    written = json.dumps(asked.arguments, ensure_ascii=False)
    function = {"name": names.get(asked.tool, asked.tool), "arguments": written}
    return [{"id": call_id(answer.id, asked.number), "type": "function", "function": function}]


def _finish(answer: Answer) -> str:
    if answer.waiting is not None and answer.waiting.outside:
        return "tool_calls"
    return "length" if answer.stopped else "stop"


def _usage(answer: Answer) -> dict[str, Any]:
    cost = answer.spent  # clients add up what their requests used
    return {
        "prompt_tokens": cost.tokens_in,
        "completion_tokens": cost.tokens_out,
        "total_tokens": cost.tokens_in + cost.tokens_out,
        "prompt_tokens_details": {"cached_tokens": cost.cached},
    }


def _more(answer: Answer) -> dict[str, Any]:
    return answer.model_dump(
        mode="json", include={"outcome", "namespace", "calls", "waiting", "stopped", "cost"}
    )
