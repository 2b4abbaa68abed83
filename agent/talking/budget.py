"""How long a conversation may be, and by which rule it is made shorter.

The oldest answers are shortened first and say by how much, then the oldest steps are left out and say how
many; the frame, the task with what is remembered, and the last turns stay whole as long as that suffices.
"""

import re
from collections.abc import Sequence

from pydantic import Field

from ...envs.text import shortened
from ...envs.types import Record
from ..llm.talking import Turn

HEAD = 2
"""Turns that stay: the frame, and the task with what is remembered."""
TAIL = 4
"""Last turns that stay whole as long as that suffices."""
_SHORT = 160
"""Characters of an old answer that was shortened."""
_LETTERS = 4
"""Bytes of text that make a token, about: a rule of thumb, the same for every model."""
_FRAME = 4
"""Tokens of a turn's frame."""
_LEFT_OUT = re.compile(r"\n\n\[\.\.\. (\d+) earlier steps left out\]\Z")


class TalkConfig(Record):
    """What conversations with models that talk may cost, in tokens as estimated (4 bytes each)."""

    context_tokens: int = Field(default=12_000, ge=500)
    """Of one conversation; a longer one is made half as long, by rule. Not measured by itself."""
    episode_tokens: int | None = Field(default=None, ge=1)
    """Of all that is read and written in one episode; None: no limit. Nothing to measure."""


def tokens_of(turns: Sequence[Turn]) -> int:
    """Return about how many tokens a conversation has."""
    text = sum(
        len(turn.content.encode()) + sum(len(use.name) + len(use.text) for use in turn.uses)
        for turn in turns
    )
    return text // _LETTERS + _FRAME * len(turns)


def compacted(turns: Sequence[Turn], tokens: int) -> list[Turn]:
    """Return a conversation of at most so many tokens, as far as the rule can make it.

    Args:
        turns: From the frame on; assistants' turns are each followed by what came of them.
        tokens: As `tokens_of` counts them.
    """
    kept = list(turns)
    if tokens_of(kept) <= tokens:
        return kept
    last = max(HEAD, len(kept) - TAIL)
    for i in range(HEAD, last):
        if kept[i].role in ("user", "tool") and len(kept[i].content) > 2 * _SHORT:
            kept[i] = _with(kept[i], shortened(kept[i].content, _SHORT))
            if tokens_of(kept) <= tokens:
                return kept
    while tokens_of(kept) > tokens and (end := _oldest(kept)) is not None:
        kept = [*kept[: HEAD - 1], _leaving_out(kept[HEAD - 1]), *kept[end:]]
    for i in range(HEAD, len(kept)):
        over = (tokens_of(kept) - tokens) * _LETTERS
        if over > 0 and kept[i].role in ("user", "tool"):
            most = max(2 * _SHORT, len(kept[i].content) - over - 40)
            kept[i] = _with(kept[i], shortened(kept[i].content, most))
    over = (tokens_of(kept) - tokens) * _LETTERS
    if over > 0 and len(kept) >= HEAD:  # the task itself is longer than all that is allowed
        task = kept[HEAD - 1]
        most = max(4 * _SHORT, len(task.content) - over - 40)
        kept[HEAD - 1] = _with(task, shortened(task.content, most))
    return kept


def _oldest(turns: Sequence[Turn]) -> int | None:
    """Return where the oldest step ends, None when only the last turns are left."""
    end = HEAD
    if end >= len(turns) or turns[end].role != "assistant":
        return None
    end += 1
    while end < len(turns) and turns[end].role != "assistant":
        end += 1
    return end if len(turns) - end >= TAIL // 2 else None


def _leaving_out(task: Turn) -> Turn:
    said = _LEFT_OUT.search(task.content)
    count = int(said[1]) + 1 if said else 1
    bare = _LEFT_OUT.sub("", task.content)
    return _with(task, f"{bare}\n\n[... {count} earlier steps left out]")


def _with(turn: Turn, content: str) -> Turn:
    return turn.model_copy(update={"content": content})
