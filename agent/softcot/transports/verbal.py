"""The hint in words, for every LLM that takes no vectors."""

from typing import TYPE_CHECKING

from ...llm.protocol import FrozenLLM, Message
from ..errors import SlotError
from ..slots import LEAD_LLM

if TYPE_CHECKING:
    import torch


class VerbalTransport:
    """Puts the assistant's words where the soft block would stand.

    Args:
        llm: Any client.
    """

    name = "verbal"

    def __init__(self, llm: FrozenLLM) -> None:
        self._llm = llm

    async def answer(
        self,
        question: str,
        block: "torch.Tensor | str",
        *,
        max_tokens: int = 256,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> str:
        """See `Transport.answer`.

        Raises:
            SlotError: The block is vectors.
        """
        if not isinstance(block, str):
            raise SlotError("the verbal hint takes words, not vectors")
        said = f"{question}{LEAD_LLM}{block}" if block else question
        return await self._llm.chat(
            [Message(role="user", content=said)],
            max_tokens=max_tokens,
            temperature=temperature,
            seed=seed,
        )
