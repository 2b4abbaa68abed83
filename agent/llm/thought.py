"""A thought of the assistant, in words or as vectors, and how it is put to a frozen model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from .protocol import FrozenLLM, LogProbs, Message, Schema, Vectors, steerable
from .slots import LEAD_LLM, in_words

Mode = Literal["soft", "verbal", "off"]


@dataclass(frozen=True)
class Thought:
    """What the assistant has to say: words, vectors, or nothing."""

    words: str = ""
    vectors: Vectors | None = None
    """Soft thoughts, a float32 torch tensor of shape (n, d_llm); None where there are none."""
    chat: bool = False
    """Whether it is for conversations too, not for choices alone."""

    @property
    def silent(self) -> bool:
        """Whether it says nothing."""
        return not self.words and self.vectors is None


SILENT = Thought()


async def choose(
    llm: FrozenLLM, prompt: str, options: Sequence[str], thought: Thought = SILENT
) -> LogProbs:
    """Return log p(option | prompt, thought); with a silent thought it is the model's own `choose`.

    Args:
        llm: The frozen model.
        prompt: Ends with a line that the options go on with; the thought stands before that line.
        options: At least one.
        thought: Vectors are for a `SteerableLLM` only.

    Raises:
        UsageError: The thought has vectors and the model takes none.
    """
    if thought.vectors is not None:
        return await steerable(llm).choose(prompt, options, soft=thought.vectors)
    if thought.words:
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
        return await steerable(llm).chat(
            messages, schema=schema, max_tokens=max_tokens, soft=thought.vectors
        )
    last = messages[-1]
    said = last.model_copy(update={"content": f"{last.content}{LEAD_LLM}{thought.words}"})
    return await llm.chat([*messages[:-1], said], schema=schema, max_tokens=max_tokens)
