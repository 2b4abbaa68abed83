"""A model that only chats, as one that answers conversations: calls of tools are JSON in its text."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from ...envs.tools import ToolSpec
from .metering import note_usage
from .protocol import FrozenLLM, LogProbs, Message
from .talking import Abilities, OnText, Reply, Turn

_CHAT_ONLY = Abilities(
    tools=False, json_schema=False, top_logprobs=False, seed=False, caching=False
)


class ChattingLLM:
    """Asks a model by its `chat`; its text is told when it is whole.

    Args:
        llm: The frozen model; closed by whoever opened it.
    """

    def __init__(self, llm: FrozenLLM) -> None:
        self._llm = llm
        self.name, self.usage = llm.name, llm.usage

    @property
    def scores_choices(self) -> bool:
        """As the model."""
        return self._llm.scores_choices

    async def abilities(self) -> Abilities:
        """It chats, and that is all."""
        return _CHAT_ONLY

    async def reply(
        self,
        turns: Sequence[Turn],
        *,
        tools: Sequence[ToolSpec] = (),
        must_call: bool = False,
        form: type[BaseModel] | None = None,
        top_logprobs: int = 0,
        max_tokens: int = 512,
        temperature: float = 0.0,
        seed: int = 0,
        on_text: OnText | None = None,
    ) -> Reply:
        """Answer a conversation; see `TalkingLLM.reply`."""
        messages: list[Message] = []
        for turn in turns:
            role = "user" if turn.role == "tool" else turn.role
            if messages and messages[-1].role == role:  # chat templates want them to take turns
                both = f"{messages[-1].content}\n\n{turn.content}"
                messages[-1] = Message(role=role, content=both)
            else:
                messages.append(Message(role=role, content=turn.content))
        before = self.usage.copy()
        text = await self._llm.chat(
            messages, max_tokens=max_tokens, temperature=temperature, seed=seed
        )
        note_usage(self.usage.minus(before))
        if on_text is not None and text:
            on_text(text)
        return Reply(text=text)

    async def chat(self, messages: Sequence[Message], **options: Any) -> Any:
        """Answer as the model does."""
        return await self._llm.chat(messages, **options)

    async def complete(self, prompt: str, **options: Any) -> str:
        """Continue as the model does."""
        return await self._llm.complete(prompt, **options)

    async def choose(self, prompt: str, options: Sequence[str]) -> LogProbs:
        """Score as the model does."""
        return await self._llm.choose(prompt, options)

    async def fingerprint(self) -> str:
        """As the model's."""
        return await self._llm.fingerprint()

    async def close(self) -> None:
        """Nothing: the model is closed by whoever opened it."""
