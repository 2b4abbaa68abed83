"""The assistant's place in the graph: a small local model that thinks before the policy acts (SoftCoT).

Only what a thought is, who has one, and how it is put to a model; SoftCoT's own is in `softcot.hint`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from ...memory.ledger.records import Hits, State
from .protocol import FrozenLLM, LogProbs, Message, Schema

Mode = Literal["soft", "verbal", "off"]


@dataclass(frozen=True)
class Thought:
    """What the assistant has to say: words, vectors, or nothing."""

    words: str = ""
    vectors: Any = None
    """Soft thoughts, a float32 torch tensor of shape (n, d_llm); None where there are none."""
    chat: bool = False
    """Whether it is for conversations too, not for choices alone."""

    @property
    def silent(self) -> bool:
        """Whether it says nothing."""
        return not self.words and self.vectors is None


SILENT = Thought()


class Assistant(Protocol):
    """Thinks about a state."""

    @property
    def chat(self) -> bool:
        """Whether it thinks for conversations too (plans, free calls), not for choices alone."""
        ...

    async def think(self, state: State, hits: Hits, *, family: str) -> Thought:
        """Return a thought; `SILENT` where the gate of this kind of task is off.

        Args:
            state: Where the policy is.
            hits: What was recalled: a thought is conditioned on the retrieved cases.
            family: The kind of task.
        """
        ...


class NoAssistant:
    """Thinks nothing."""

    chat = False

    async def think(self, state: State, hits: Hits, *, family: str) -> Thought:
        """Return nothing."""
        return SILENT


async def choose(
    llm: FrozenLLM, prompt: str, options: Sequence[str], thought: Thought = SILENT
) -> LogProbs:
    """Return log p(option | prompt, thought); with a silent thought it is the model's own `choose`.

    Args:
        llm: The frozen model.
        prompt: Ends with a line that the options go on with; the thought stands before that line.
        options: At least one.
        thought: Vectors are for a local model only.
    """
    if thought.vectors is not None:
        scored: LogProbs = await llm.choose(prompt, options, soft=thought.vectors)  # type: ignore[call-arg]
        return scored
    if thought.words:
        from .slots import in_words  # softcot knows prompts of the policy

        prompt = in_words(prompt, thought.words)
    return await llm.choose(prompt, options)


async def chat(
    llm: FrozenLLM,
    messages: Sequence[Message],
    *,
    schema: type[Schema],
    max_tokens: int,
    thought: Thought = SILENT,
) -> Schema:
    """Return a model's structured answer to a conversation, with a thought at the end of the user's turn."""
    if not thought.chat or thought.silent:
        return await llm.chat(messages, schema=schema, max_tokens=max_tokens)
    if thought.vectors is not None:
        answer: Schema = await llm.chat(  # type: ignore[call-overload]
            messages, schema=schema, max_tokens=max_tokens, soft=thought.vectors
        )
        return answer
    from .slots import LEAD_LLM

    last = messages[-1]
    said = last.model_copy(update={"content": f"{last.content}{LEAD_LLM}{thought.words}"})
    return await llm.chat([*messages[:-1], said], schema=schema, max_tokens=max_tokens)
