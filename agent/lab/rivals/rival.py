"""What all rivals have in common: text that is given to the model before a task, and learned from after it.

A rival sees no more than Lichen does, and reads and writes with the same frozen model. What it keeps is a
dictionary of plain JSON, so that a stream can go on after an interruption.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ....envs.types import Task
from ....memory.likeness.embedder import Vectors
from ...llm.errors import LLMNonsense
from ...llm.protocol import FrozenLLM, Message
from ...prompts.rendering import render
from .trace import EpisodeTrace

PROMPTS = Path(__file__).parent / "prompts"
LETTERS = 4
"""Characters of a token, about."""


@dataclass(frozen=True)
class RivalTools:
    """What a rival works with."""

    llm: FrozenLLM | None
    """The agent's own model; None where none is asked."""
    embed: Callable[[Sequence[str]], Vectors]
    """Unit vectors of texts, shape (n, d)."""
    tokens: int
    """About how many a brief may have: what memory may show."""
    context: int
    """About how many the model can read of a brief at most."""
    seed: int

    async def write(self, prompt: str, *, most: int = 220, **values: object) -> str:
        """Return what the model writes to a prompt of this folder; empty where that is nothing usable.

        Args:
            prompt: Name of the file, without its ending.
            most: Tokens of the answer.
            values: What the prompt is filled with.
        """
        if self.llm is None:
            return ""
        said = render(prompt, folder=PROMPTS, **values)
        try:
            answer = await self.llm.chat(
                [Message(role="user", content=said)], max_tokens=most, seed=self.seed
            )
        except LLMNonsense:
            return ""
        return answer.strip()

    def nearest(self, query: str, texts: Sequence[str], k: int) -> list[tuple[int, float]]:
        """Return the rows of the k texts nearest to a query with their cosine, best first."""
        if not texts:
            return []
        vectors = self.embed([query, *texts])
        near = vectors[1:] @ vectors[0]
        best = np.argsort(-near, kind="stable")[:k]
        return [(int(row), float(near[row])) for row in best]


class Rival(ABC):
    """One method.

    Args:
        tools: Model, embedder, budgets.
        dials: Other values of some of `dials`.
    """

    name: ClassVar[str]
    says: ClassVar[str]
    """What it is, in a few words."""
    source: ClassVar[str]
    """The paper, and the parts of it that are followed."""
    dials: ClassVar[Mapping[str, float]] = {}
    """What can be tuned on dev, with the values that are used unless others are given."""

    def __init__(self, tools: RivalTools, dials: Mapping[str, float] | None = None) -> None:
        self.tools = tools
        self.dialled = {**self.dials, **(dials or {})}
        self.kept: list[dict[str, Any]] = []
        """What it remembers, oldest first, each item plain JSON."""

    def whole(self, dial: str) -> int:
        """Return a dial that counts something."""
        return int(self.dialled[dial])

    @abstractmethod
    async def brief(self, task: Task, goal: str) -> str:
        """Return the text that is given to the model before a task; empty: nothing."""

    @abstractmethod
    async def learn(self, trace: EpisodeTrace) -> None:
        """Take an episode that ended, won or lost; one with an unknown outcome is never given."""

    def clipped(self, parts: Sequence[str], tokens: int | None = None) -> str:
        """Return as many whole parts, in order, as the budget holds, joined by empty lines."""
        room = (self.tools.tokens if tokens is None else tokens) * LETTERS
        said: list[str] = []
        for part in parts:
            room -= len(part) + 2
            if room < 0:
                break
            said.append(part)
        return "\n\n".join(said)
