"""Soft thoughts as an embedded block behind a prompt's ids, for the client of a local model.

What stands before the block is ids, so that its key-value cache is the same with and without the block.
"""

from collections.abc import Sequence
from typing import Any

import torch

from .frozen import Frozen
from .protocol import Message
from .slots import Prompt, for_chat, for_cue
from .soft_reader import SoftReader


def cue_block(
    name: str, model: Any, tokenizer: Any, prompt: str, soft: torch.Tensor
) -> tuple[list[int], torch.Tensor]:
    """Return the ids before the soft block of a raw prompt, and the block with the cue behind it.

    Args:
        name: Of the model, for errors.
        model: The frozen LLM.
        tokenizer: Its tokenizer.
        prompt: Ends with the cue.
        soft: Shape (n, d).

    Returns:
        Ids, and embeddings of shape (m, d).
    """
    reader = SoftReader(Frozen(name, model, tokenizer))
    return _split(reader, for_cue(reader.llm, reader.marks, prompt, len(soft)), soft)


def chat_block(
    name: str, model: Any, tokenizer: Any, messages: Sequence[Message], soft: torch.Tensor
) -> tuple[list[int], torch.Tensor]:
    """Return the same for a conversation: the block stands at the end of the last user's turn."""
    reader = SoftReader(Frozen(name, model, tokenizer))
    return _split(reader, for_chat(reader.llm, reader.marks, messages, len(soft)), soft)


def _split(
    reader: SoftReader, prompt: Prompt, soft: torch.Tensor
) -> tuple[list[int], torch.Tensor]:
    with torch.inference_mode():
        return list(prompt.prefix), reader.embed(prompt.suffix, soft)
