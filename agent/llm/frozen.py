"""A frozen model with its tokenizer and chat template, and the hashes that say which one it is."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ...envs.types import Record
from .catalog import locate
from .loading import LocalConfig, load, weights_hash
from .protocol import Message


class ModelIdentity(Record):
    """Which model: two of equal identity give the same states for the same text."""

    name: str
    """What the user called it; it may differ between two machines, the rest may not."""
    weights: str
    """SHA-256 over every parameter and buffer."""
    tokenizer: str
    """SHA-256 over the vocabulary and its special tokens."""
    template: str
    """SHA-256 over the chat template."""
    dtype: str
    """Of the weights in memory."""

    def differs(self, other: "ModelIdentity") -> str:
        """Return the first part that differs from another's, the name aside; empty when none does."""
        parts = ("weights", "tokenizer", "template", "dtype")
        return next((p for p in parts if getattr(self, p) != getattr(other, p)), "")


@dataclass
class Frozen:
    """A causal LM of transformers, frozen and in evaluation mode."""

    name: str
    model: Any
    tokenizer: Any
    _identity: ModelIdentity | None = field(default=None, repr=False)

    @property
    def d(self) -> int:
        """Size of its embeddings."""
        return int(self.model.get_input_embeddings().weight.shape[1])

    def identity(self, *, again: bool = False) -> ModelIdentity:
        """Return which model this is.

        Args:
            again: Hash the weights again (they may not have changed: that is what is checked).
        """
        if self._identity is None or again:
            words = sorted(self.tokenizer.get_vocab().items(), key=lambda item: item[1])
            special = sorted(self.tokenizer.all_special_tokens)
            self._identity = ModelIdentity(
                name=self.name,
                weights=weights_hash(self.model),
                tokenizer=_sha("\0".join([*(w for w, _ in words), *special])),
                template=_sha(str(self.tokenizer.chat_template)),
                dtype=str(self.model.dtype).removeprefix("torch."),
            )
        return self._identity

    def raw_ids(self, text: str) -> list[int]:
        """Return the tokens of a prompt without a template, as `LocalLLM.choose` reads it."""
        found: list[int] = self.tokenizer(text).input_ids
        return found

    def ids(self, text: str) -> list[int]:
        """Return the tokens of a text as it stands, no special token added."""
        found: list[int] = self.tokenizer(text, add_special_tokens=False).input_ids
        return found

    def chat(self, messages: Sequence[Message]) -> str:
        """Return a conversation in the model's own template, with the header of the answer to come."""
        text: str = self.tokenizer.apply_chat_template(
            [m.model_dump() for m in messages],
            tokenize=False,
            add_generation_prompt=True,
            enable_thinking=False,  # one way in training and in use; templates that do not know it ignore it
        )
        return text

    @property
    def ends(self) -> tuple[int, ...]:
        """Ids that end an answer, the tokenizer's own first."""
        known = self.model.generation_config.eos_token_id
        more = known if isinstance(known, list) else [known]
        return tuple(
            dict.fromkeys(i for i in [self.tokenizer.eos_token_id, *more] if i is not None)
        )


def open_frozen(name: str, config: LocalConfig | None = None) -> Frozen:
    """Load a model to be read only.

    Args:
        name: `smollm2-135m`, a GGUF file, a folder, or a hub id.
        config: dtype and device.

    Raises:
        ModelNotFound: Nothing loads under that name.
    """
    model, tokenizer = load(locate(name), config or LocalConfig())
    return Frozen(name, model, tokenizer)


def open_pair(
    name: str, assistant: str | None, config: LocalConfig | None = None
) -> tuple[Frozen, Frozen]:
    """Load an LLM and its assistant; without another name the assistant is the LLM itself, loaded once.

    Args:
        name: Of the LLM; see `open_frozen`.
        assistant: Of the small model; None for the same.
        config: dtype and device of both.

    Raises:
        ModelNotFound: Nothing loads under one of the names.
    """
    llm = open_frozen(name, config)
    return llm, llm if assistant in (None, name) else open_frozen(str(assistant), config)


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
