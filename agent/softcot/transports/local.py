"""Soft thoughts into a model in this process: the reference that the others are compared with."""

import torch

from ..models import Frozen
from ..reader import SoftReader
from ..slots import Prompt, for_llm


class LocalTransport:
    """Through transformers' `inputs_embeds`.

    Args:
        llm: The frozen model.

    Raises:
        SlotError: Its tokenizer has no reserved tokens for the placeholders.
    """

    name = "transformers"

    def __init__(self, llm: Frozen) -> None:
        self._reader = SoftReader(llm)

    async def answer(
        self,
        question: str,
        block: torch.Tensor | str,
        *,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> str:
        """See `Transport.answer`."""
        reader = self._reader
        if isinstance(block, str):
            ids = in_place(reader, question, block)
            prompt, soft = Prompt(tuple(ids), len(ids), 0), torch.zeros(0, reader.llm.d)
        else:
            prompt, soft = for_llm(reader.llm, reader.marks, question, len(block)), block
        return reader.generate(
            prompt, soft, max_tokens=max_tokens, temperature=temperature, seed=seed
        )


def in_place(reader: SoftReader, question: str, words: str) -> list[int]:
    """Return the prompt's token ids with those of words in the place of the soft block."""
    said = reader.llm.ids(words)
    prompt = for_llm(reader.llm, reader.marks, question, len(said))
    ids = list(prompt.ids)
    ids[prompt.start : prompt.start + prompt.n] = said
    return ids
