"""A streamed answer put together again; its text is told as it comes, its thoughts are not."""

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

from .talking import OnText
from .thought_marks import text_begins
from .wire import text_of


async def gathered(chunks: AsyncIterator[Any], on_text: OnText) -> Any:
    """Return the choice that the chunks of a stream come to, None when there was no chunk with a choice.

    Args:
        chunks: As the client yields them.
        on_text: Told of each piece of text; a thought at the beginning is not told.
    """
    content = reasoning = ""
    finish: str | None = None
    calls: dict[int, Any] = {}
    tokens: list[Any] = []
    told = 0
    came = False
    async for chunk in chunks:
        for choice in getattr(chunk, "choices", None) or ():
            came = True
            finish = choice.finish_reason or finish
            tokens += getattr(getattr(choice, "logprobs", None), "content", None) or []
            delta = choice.delta
            if delta is None:
                continue
            content += text_of(delta.content)
            reasoning += text_of(
                getattr(delta, "reasoning_content", None) or getattr(delta, "reasoning", None)
            )
            for part in delta.tool_calls or ():
                _add(calls, part)
        begin = text_begins(content)
        if begin is not None and len(content) > max(begin, told):
            on_text(content[max(begin, told) :])
            told = len(content)
    if not came:
        return None
    return SimpleNamespace(
        finish_reason=finish,
        logprobs=SimpleNamespace(content=tokens),
        message=SimpleNamespace(
            content=content,
            reasoning_content=reasoning,
            tool_calls=[calls[i] for i in sorted(calls)],
        ),
    )


def _add(calls: dict[int, Any], part: Any) -> None:
    index = part.index if part.index is not None else len(calls)
    call = calls.setdefault(
        index, SimpleNamespace(id=None, function=SimpleNamespace(name="", arguments=""))
    )
    call.id = part.id or call.id
    if part.function is not None:
        call.function.name += part.function.name or ""
        call.function.arguments += part.function.arguments or ""
