"""Fixtures of the agent's tests: a model whose server can be down."""

from collections.abc import Sequence

import numpy as np
import pytest

from lichen.agent.llm import ScriptedLLM
from lichen.agent.llm.errors import LLMUnavailable


class Down(ScriptedLLM):
    """A model whose server is down until `down` is set to False."""

    down = True

    async def choose(self, prompt: str, options: Sequence[str]) -> np.ndarray:
        """Fail while it is down."""
        if self.down:
            raise LLMUnavailable("the server is down")
        return await super().choose(prompt, options)


@pytest.fixture
def down_llm() -> Down:
    """A scripted model that is down."""
    return Down()
