"""Thoughts put to a model: scored as a whole pass, and the cache stays as it was."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from lichen.agent.llm.frozen import Frozen
from lichen.agent.llm.local_llm import LocalLLM
from lichen.agent.llm.protocol import Message
from lichen.agent.llm.slots import for_cue, for_llm, in_words
from lichen.agent.llm.soft_reader import SoftReader
from lichen.agent.llm.thought import SILENT, Thought, choose

PROMPT = "You see a door and a key.\nGood action:"
OPTIONS = [" open door\n", " take key\n", " take key and go\n"]


@pytest.fixture
def llm(tiny_folder: Path) -> Iterator[LocalLLM]:
    """A client of the tiny model."""
    made = LocalLLM(str(tiny_folder))
    yield made
    asyncio.run(made.close())


async def test_soft_thoughts_are_scored_as_a_whole_pass_and_leave_the_cache_as_it_was(
    llm: LocalLLM, tiny: Frozen
) -> None:
    soft = torch.randn(3, tiny.d, generator=torch.Generator().manual_seed(0))
    reader = SoftReader(tiny)
    alone = await llm.choose(PROMPT, OPTIONS)
    before = llm.usage.tokens_in
    given = await choose(llm, PROMPT, OPTIONS, Thought(vectors=soft))
    assert llm.usage.tokens_in - before < 40  # the head of the prompt was not read again
    again = await llm.choose(PROMPT, OPTIONS)
    # from here on the whole prompt is cached: the same computation gives the same bits, another only closeness
    cached = await llm.choose(PROMPT, OPTIONS)
    assert np.array_equal(cached, await choose(llm, PROMPT, OPTIONS, SILENT))
    assert np.allclose(alone, again, atol=1e-4) and not np.allclose(alone, given, atol=1e-3)
    prompt = for_cue(tiny, reader.marks, PROMPT, 3)
    rows = [reader.row(prompt, option) for option in OPTIONS]
    rows = [type(row)(row.prompt, row.target[:-1]) for row in rows]
    whole = reader.log_likelihoods(rows, torch.stack([soft] * 3))
    assert np.allclose(given, whole.numpy(), atol=1e-4)
    words = await choose(llm, PROMPT, OPTIONS, Thought(words="key, door"))
    assert np.allclose(words, await llm.choose(in_words(PROMPT, "key, door"), OPTIONS), atol=1e-5)


async def test_a_conversation_reads_soft_thoughts_at_the_end_of_the_users_turn(
    smollm2: LocalLLM, frozen: Frozen
) -> None:
    asked = "What is the capital of France?"
    turns = [Message(role="user", content=asked)]
    reader = SoftReader(frozen)
    ids = frozen.ids(" Answer in Spanish, with two words")
    soft = frozen.model.get_input_embeddings()(torch.tensor(ids)).detach()
    alone = await smollm2.chat(turns, max_tokens=8)
    given = await smollm2.chat(turns, max_tokens=8, soft=soft)
    prompt = for_llm(frozen, reader.marks, asked, len(ids))
    assert given == reader.generate(prompt, soft, max_tokens=8) != alone
    assert alone == await smollm2.chat(turns, max_tokens=8)
