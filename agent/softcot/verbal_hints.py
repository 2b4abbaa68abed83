"""The verbal hint: the assistant's key words as text, for every LLM that takes no vectors (Assist-CoT)."""

from collections.abc import Sequence

import torch

from ..llm.frozen import Frozen
from ..llm.slots import LEAD_LLM, Prompt, escape, for_llm, in_words, marks_of
from ..llm.soft_reader import SoftReader
from .decoding import Asked, answer_all
from .soft_config import Example

ASKED = (
    "Name the most informative words that help to solve this task, the most important first. "
    "No sentences, at most {n} words. Task:\n{seen}"
)
MOST = 24
"""Most tokens of a verbal hint (SoftCoT, table 2)."""
BATCH = 16
"""Texts that it reads together."""


def verbal_hints(
    assistant: Frozen,
    seen: Sequence[str],
    *,
    most: int = MOST,
    reader: SoftReader | None = None,
) -> list[str]:
    """Return the assistant's key words for each text, greedy, on one line.

    Args:
        assistant: The small model.
        seen: What it reads.
        most: Most tokens of a hint.
        reader: Of the assistant; its count of tokens goes up.
    """
    reader, none = reader or SoftReader(assistant), torch.zeros(0, assistant.d)
    found = []
    for begin in range(0, len(seen), BATCH):
        asked = [ASKED.format(n=most, seen=text) for text in seen[begin : begin + BATCH]]
        prompts = [Asked(for_llm(assistant, reader.marks, text, 0), none) for text in asked]
        found += answer_all(reader, prompts, max_tokens=most)
    return [" ".join(said.split()) for said in found]


def for_llm_in_words(llm: Frozen, question: str, hint: str) -> Prompt:
    """Return the LLM's prompt with the hint in the place of the soft block."""
    marks = marks_of(llm.tokenizer)
    return for_llm(llm, marks, f"{escape(question, marks)}{LEAD_LLM}{hint}", 0)


def for_cue_in_words(llm: Frozen, prompt: str, hint: str) -> Prompt:
    """Return a raw prompt with the hint before its last line, in the place of the soft block."""
    ids = tuple(llm.raw_ids(in_words(prompt, hint)))
    return Prompt(ids, len(ids), 0)


def with_words(llm: Frozen, example: Example, hint: str) -> Prompt:
    """Return the prompt of an example of either form with the hint in the place of the soft block."""
    write = for_cue_in_words if example.form == "cue" else for_llm_in_words
    return write(llm, example.question, hint)
