"""Structured answers of a small model are held to their schema."""

from typing import Literal

import pytest
from pydantic import BaseModel, Field

from lichen.agent.llm import Message
from lichen.agent.llm.local_llm import LocalLLM


class Errand(BaseModel):
    """What a small model is asked for."""

    kind: Literal["fetch", "cook", "wait"]
    steps: list[str] = Field(min_length=2, max_length=3)
    minutes: int = Field(ge=1, le=60)


@pytest.mark.parametrize("temperature", [0.0, 1.5])
async def test_a_small_models_structured_answer_is_an_object_of_the_schema(
    smollm2: LocalLLM, temperature: float
) -> None:
    asked = [Message(role="user", content="Plan how to bring me a coin from the pantry.")]
    before = smollm2.usage.calls
    found = await smollm2.chat(
        asked, schema=Errand, max_tokens=120, temperature=temperature, seed=3
    )
    assert isinstance(found, Errand)
    assert all(found.steps)
    assert smollm2.usage.calls == before + 1  # the first answer was valid: no repair turn
    again = await smollm2.chat(
        asked, schema=Errand, max_tokens=120, temperature=temperature, seed=3
    )
    assert again == found
