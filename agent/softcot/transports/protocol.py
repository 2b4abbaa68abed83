"""What a way for soft thoughts must do, and what came of its test."""

from typing import TYPE_CHECKING, Protocol

from ....envs.types import Record

if TYPE_CHECKING:
    import torch


class Probe(Record):
    """What came of the test of a transport."""

    transport: str
    usable: bool
    reason: str = ""
    """Why it is not usable."""
    compared: int = 0
    """Answers that were compared."""
    d: int = 0
    """Size of the embeddings; 0 where only words travel."""


class Transport(Protocol):
    """Asks a frozen LLM a question with a block at the end of the user's turn: vectors, or words."""

    name: str

    async def answer(
        self,
        question: str,
        block: "torch.Tensor | str",
        *,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> str:
        """Return the answer to a question.

        Args:
            question: What is asked.
            block: Soft thoughts, shape (n, d), or words in their place; n = 0 or "": the question alone.
            max_tokens: Most tokens of the answer.
            temperature: 0 takes the likeliest token.
            seed: Of the sampling.

        Raises:
            LLMUnavailable: The server cannot be reached; LLMRefused: it takes no such block.
        """
        ...
