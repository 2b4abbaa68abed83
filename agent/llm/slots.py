"""Where soft thoughts stand in a prompt: found by token id, never by an offset.

A prompt is text, then (for the LLM) a begin mark, N placeholders and an end mark, then text. The marks and
placeholders are reserved tokens of the tokenizer; a text that holds one of them is escaped, so that the run
of placeholders is the only one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .errors import SlotError
from .frozen import Frozen
from .protocol import Message

INSTRUCTION_ASSISTANT = (
    "You read a task for a large language model and think of what helps it most. Task:\n"
)
"""I_a: what the assistant is told before the question."""
LEAD_ASSISTANT = "Here are {n} tokens to help the model solve it: "
"""How the assistant's answer begins; the placeholders follow."""
LEAD_LLM = "\nHere are prompts: "
"""What the LLM reads before the soft thoughts."""
HOLE = "\ue000"
"""Stands for the soft thoughts in a text that is not tokenized yet (a private-use character)."""


@dataclass(frozen=True)
class Marks:
    """Reserved ids of one tokenizer."""

    placeholders: tuple[int, ...]
    """One a thought chain (SoftCoT++ begins each chain with a token of its own)."""
    begin: int
    end: int
    names: tuple[str, ...]
    """Their strings, to be escaped in texts."""


@dataclass(frozen=True)
class Prompt:
    """Token ids with one run of placeholders."""

    ids: tuple[int, ...]
    start: int
    """Place of the first placeholder; `len(ids)` when there is none."""
    n: int
    marked: bool = True
    """Whether a begin mark stands before the run and an end mark behind it."""

    @property
    def prefix(self) -> tuple[int, ...]:
        """The ids before the soft block: they do not depend on it, so their KV cache can be kept."""
        return self.ids[: self.start - self.marked] if self.n else self.ids[:-1]

    @property
    def suffix(self) -> tuple[int, ...]:
        """The soft block and what follows it."""
        return self.ids[len(self.prefix) :]


@lru_cache(maxsize=8)  # every decision asks, and some tokenizers have hundreds of reserved tokens
def marks_of(tokenizer: Any) -> Marks:
    """Return the reserved tokens of a tokenizer: special, one id each, and used by nothing else.

    Raises:
        SlotError: It has fewer than three.
    """
    used = {
        tokenizer.bos_token,
        tokenizer.eos_token,
        tokenizer.pad_token,
        tokenizer.unk_token,
    }
    template = str(tokenizer.chat_template)
    found = [
        (i, token.content)
        for i, token in sorted(tokenizer.added_tokens_decoder.items())
        if (token.special or "reserved" in token.content or "unused" in token.content)
        and token.content not in used
        and token.content not in template
        and tokenizer(token.content, add_special_tokens=False).input_ids == [i]
    ]
    found.sort(key=lambda x: not ("reserved" in x[1] or "unused" in x[1]))
    if len(found) < 3:
        raise SlotError(f"the tokenizer has {len(found)} reserved special tokens and 3 are needed")
    ids = [i for i, _ in found]
    return Marks(tuple(ids[2:]), ids[0], ids[1], tuple(name for _, name in found))


def escape(text: str, marks: Marks) -> str:
    """Return a text in which no reserved token is read: a space stands behind its first character."""
    text = text.replace(HOLE, " ")
    for name in marks.names:
        text = text.replace(name, f"{name[0]} {name[1:]}")
    return text


def locate(ids: Sequence[int], placeholder: int, n: int) -> int:
    """Return where the run of n placeholders begins.

    Raises:
        SlotError: There are more or fewer, or they do not stand together.

    >>> locate([5, 9, 9, 7], 9, 2)
    1
    """
    found = [place for place, token in enumerate(ids) if token == placeholder]
    if len(found) != n or (n and found[-1] - found[0] != n - 1):
        raise SlotError(f"the prompt should hold one run of {n} placeholders and holds {found}")
    return found[0] if n else len(ids)


def fill(
    frozen: Frozen,
    marks: Marks,
    text: str,
    n: int,
    *,
    chain: int = 0,
    marked: bool,
    raw: bool = False,
) -> Prompt:
    """Return the ids of a text with its hole filled by n placeholders.

    Args:
        frozen: Whose tokenizer.
        marks: Of that tokenizer.
        text: With one `HOLE`; none when n is 0.
        n: Soft thoughts.
        chain: Number of the thought chain; it chooses the placeholder.
        marked: Put the begin and the end mark around them.
        raw: No template was applied: the model's own first token goes before it, if it has one.

    Raises:
        SlotError: The hole is missing or not alone, or there is no placeholder for the chain.
    """
    if chain >= len(marks.placeholders):
        raise SlotError(
            f"the tokenizer has reserved tokens for {len(marks.placeholders)} chains, not for {chain + 1}"
        )
    if n == 0:
        plain = tuple(frozen.ids(text.replace(HOLE, "")))
        return Prompt(plain, len(plain), 0, marked)
    left, hole, right = text.partition(HOLE)
    if not hole or HOLE in right:
        raise SlotError("the text should have one place for soft thoughts")
    run = [marks.placeholders[chain]] * n
    if marked:
        run = [marks.begin, *run, marks.end]
    ids = [*(frozen.raw_ids(left) if raw else frozen.ids(left)), *run, *frozen.ids(right)]
    return Prompt(tuple(ids), locate(ids, marks.placeholders[chain], n), n, marked)


def for_assistant(frozen: Frozen, marks: Marks, seen: str, n: int, *, chain: int = 0) -> Prompt:
    """Return x_assist: the question, and the beginning of an answer of n tokens (SoftCoT, section 3.2)."""
    asked = Message(role="user", content=INSTRUCTION_ASSISTANT + escape(seen, marks))
    text = frozen.chat([asked]) + LEAD_ASSISTANT.format(n=n) + HOLE
    return fill(frozen, marks, text, n, chain=chain, marked=False)


def for_llm(frozen: Frozen, marks: Marks, question: str, n: int) -> Prompt:
    """Return x_LLM: the question and the soft block at the end of the user's turn (SoftCoT, section 3.3).

    With n = 0 it is the question alone, token for token what a chat without SoftCoT sends.
    """
    if n == 0:
        text = frozen.chat([Message(role="user", content=question)])
        ids = tuple(frozen.ids(text))
        return Prompt(ids, len(ids), 0)
    return for_chat(frozen, marks, [Message(role="user", content=question)], n)


def for_chat(frozen: Frozen, marks: Marks, messages: Sequence[Message], n: int) -> Prompt:
    """Return a conversation with the soft block at the end of its last user's turn.

    Raises:
        SlotError: No user speaks in it.
    """
    last = max((i for i, m in enumerate(messages) if m.role == "user"), default=-1)
    if last < 0:
        raise SlotError("soft thoughts stand in a user's turn, and the conversation has none")
    turns = [m.model_copy(update={"content": escape(m.content, marks)}) for m in messages]
    said = turns[last].content + LEAD_LLM + HOLE
    turns[last] = turns[last].model_copy(update={"content": said})
    return fill(frozen, marks, frozen.chat(turns), n, marked=True)


def for_cue(frozen: Frozen, marks: Marks, prompt: str, n: int) -> Prompt:
    """Return a raw prompt with the soft block before its last line (the cue, such as `Good action:`).

    With n = 0 it is the prompt as it stands.
    """
    if n == 0:
        ids = tuple(frozen.raw_ids(prompt))
        return Prompt(ids, len(ids), 0)
    head, newline, cue = escape(prompt, marks).rpartition("\n")
    text = f"{head}{LEAD_LLM}{HOLE}{newline or chr(10)}{cue}"
    return fill(frozen, marks, text, n, marked=True, raw=True)


def in_words(prompt: str, hint: str) -> str:
    """Return a raw prompt with a hint in words before its last line, where soft thoughts would stand.

    >>> in_words("You see a door.\\nGood action:", "key, door")
    'You see a door.\\nHere are prompts: key, door\\nGood action:'
    """
    head, _, cue = prompt.rpartition("\n")
    return f"{head}{LEAD_LLM}{' '.join(hint.split())}\n{cue}"
