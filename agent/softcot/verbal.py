"""The verbal hint: the assistant's key words as text, for every LLM that takes no vectors (Assist-CoT)."""

import torch

from .models import Frozen
from .reader import SoftReader
from .slots import LEAD_LLM, Prompt, escape, for_llm, marks_of

ASKED = (
    "Name the most informative words that help to solve this task, the most important first. "
    "No sentences, at most {n} words. Task:\n{seen}"
)
MOST = 24
"""Most tokens of a verbal hint (SoftCoT, table 2)."""


def verbal_hint(assistant: Frozen, seen: str, *, most: int = MOST) -> str:
    """Return the assistant's key words, greedy, on one line.

    Args:
        assistant: The small model.
        seen: What it reads.
        most: Most tokens.
    """
    reader = SoftReader(assistant)
    asked = ASKED.format(n=most, seen=seen)
    none = torch.zeros(0, assistant.d)
    said = reader.generate(for_llm(assistant, reader.marks, asked, 0), none, max_tokens=most)
    return " ".join(said.split())


def for_llm_in_words(llm: Frozen, question: str, hint: str) -> Prompt:
    """Return the LLM's prompt with the hint in the place of the soft block."""
    marks = marks_of(llm.tokenizer)
    return for_llm(llm, marks, f"{escape(question, marks)}{LEAD_LLM}{hint}", 0)
